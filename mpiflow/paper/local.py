"""From kernels to local flows: the width, a batch of points in its place, networks of finite width (HR 2.13 - 2.18, 2.27)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from mpiflow import streams
from mpiflow.comm import Comm
from mpiflow.grids import rk4, symmetric
from mpiflow.grids.fields.mse import MeanSquare
from mpiflow.grids.torus import FlatTorus
from mpiflow.paper.claims import Claim, near
from mpiflow.paper.picture import finished, leave, picture
from mpiflow.ranks.members import shared

TITLE = "kernels and local flows: the width, batches of points, networks of finite width (HR 2.13 - 2.18, 2.27)"
#: Points of a side of the torus.
SIZES = {"laptop": 24, "node": 32, "cluster": 48}
LEAST = 12
WIDTHS, TIMES, STEPS = (0.4, 0.2, 0.1, 0.05), {"mse": 1.0, "ricci": 0.1}, 40
BATCHES, NARROW = (256, 1024, 4096, 16_384), (0.1, 0.2, 0.4)
NETWORKS, WIDTH, DRAWS = (64, 256, 1024, 4096, 16_384), 0.5, 4
#: Images of a point that its periodic Gaussian takes in, on either side.
_IMAGES = 4


@dataclass(frozen=True)
class Row:
    """One measurement: "mse" or "ricci" at a width; "batch" of `number` points at a width; a "network" of `number` units.

    error: rms of g_s - g_0; of the kernel sum over the batch, relative; of the flow under the network from that under its
    limit, relative to what the flow has done. law: what it is held against, NaN for none.
    """

    kind: str
    width: float
    number: int
    error: float
    law: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Measure on a torus with `size` points a side, and draw out/local.png; collective, each rank some of the rows."""
    space = FlatTorus(FlatTorus.Keys(points=size, modes=2, amplitude=0.05, seed=seed))
    every = [partial(_flowed, space, kind, width) for kind, width in product(TIMES, WIDTHS)]
    every += [partial(_batch, space, seed, width, number) for width, number in product(NARROW, BATCHES)]
    every += [partial(_network, space, seed, number) for number in NETWORKS]
    rows = shared(comm, every, lambda measured: measured())
    say(f"{'kind':>8}{'width':>8}{'number':>8}{'error':>12}{'law':>12}")
    for row in rows:
        say(f"{row.kind:>8}{row.width:8g}{row.number or '':>8}{row.error:12.3e}{row.law:12.3e}")
    for kind in TIMES:
        say(f"{kind}: |g_s - g_0| falls as s^{order(rows, kind):.3f}")
    say(f"networks: error falls as N^{order(rows, 'network'):.3f}")
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "local.png", rows)
    say(f"picture: {out / 'local.png'}")
    return rows


def order(rows: list[Row], kind: str) -> float:
    """The power by which the errors of a kind grow: with the width, of its narrower half, or with the number of units."""
    mine = [row for row in rows if row.kind == kind]
    if kind == "network":
        return float(np.polyfit(np.log([row.number for row in mine]), np.log([row.error for row in mine]), 1)[0])
    narrow = mine[-2:]
    return float(np.diff(np.log([row.error for row in narrow]))[0] / np.diff(np.log([row.width for row in narrow]))[0])


def claims(rows: list[Row]) -> list[Claim]:
    """A kernel flow is local to second order in its width; batches and networks add noise of a known size."""
    found = [near(f"{kind}: order of g_s - g_0 in s", 2.0, order(rows, kind), within=0.1) for kind in TIMES]
    ratios = [row.error / row.law for row in rows if row.kind == "batch" and row.width <= 0.2]
    worst = max(ratios, key=lambda ratio: abs(np.log(ratio)))
    what = "batch noise over sqrt(Vol / ((4 pi)^(d/2) s^d N')), farthest from 1, s <= .2"
    found.append(Claim(what, "not said: 1", worst, 0.9, 1.1))
    found.append(Claim("networks: order of their error in N", "-1/2", order(rows, "network"), -0.65, -0.4))
    return found


def _flowed(space: FlatTorus, kind: str, width: float) -> Row:
    ends = [_end(space, kind, s) for s in (width, 0.0)]
    return Row(kind, width, 0, float(np.sqrt(np.mean((ends[0] - ends[1]) ** 2))), float("nan"))


def _end(space: FlatTorus, kind: str, width: float) -> np.ndarray:
    velocities = {"mse": lambda u: MeanSquare().velocity(space, u, width), "ricci": lambda u: space.ricci(u, width)}
    u = space.start()
    for _ in range(STEPS):
        u = rk4.step(velocities[kind], u, TIMES[kind] / STEPS)
    return u


def _batch(space: FlatTorus, seed: int, width: float, number: int) -> Row:
    """A sum over points of the torus in place of its integral, for one low mode."""
    rng, side = streams.modes(seed + number), _side(space)
    exact = np.exp(-(width**2) / 2) * np.cos(side)[:, None] * np.ones(len(side))
    errors = []
    for _ in range(DRAWS):
        x, y = rng.uniform(0, 2 * np.pi, (2, number))
        found = (_gauss(side[:, None] - x, width) * np.cos(x)) @ _gauss(side[:, None] - y, width).T
        errors.append(np.mean((found * (2 * np.pi) ** 2 / number - exact) ** 2) / np.mean(np.cos(side) ** 2))
    law = np.sqrt((2 * np.pi) ** 2 / (4 * np.pi * width**2 * number))
    return Row("batch", width, number, float(np.sqrt(np.mean(errors))), float(law))


def _network(space: FlatTorus, seed: int, number: int) -> Row:
    """The flow of HR 2.13 with the kernel of a cosine network whose frequencies are whole numbers, of weight e^(-s^2 w^2 / 2).

    Its limit is the periodic Gaussian exactly: 2 <cos(w.x + b) cos(w.x' + b)> over (2 pi)^2 P(0).
    """
    rng, side = streams.modes(seed + number), _side(space)
    waves = np.arange(-40, 41)
    chance = np.exp(-(WIDTH**2) * waves**2 / 2)
    chance /= chance.sum()
    start = (space.start() - symmetric.unit(space.shape, 2)).reshape(3, -1)
    time, cell = TIMES["mse"], (2 * np.pi / len(side)) ** 2
    exact = _decayed(space, start, time)
    errors = []
    for _ in range(DRAWS):
        w, b = rng.choice(waves, (2, number), p=chance), rng.uniform(0, 2 * np.pi, number)
        angle = w[0] * side[:, None, None] + w[1] * side[None, :, None] + b
        units = np.cos(angle).reshape(-1, number)
        matrix = units @ units.T * (2 * cell / (number * (2 * np.pi * chance[40]) ** 2))
        rate, vector = np.linalg.eigh(matrix)
        errors.append(np.mean((vector * np.exp(-time * rate) @ (vector.T @ start.T) - exact.T) ** 2))
    moved = np.sqrt(np.mean((exact - start) ** 2))
    law = 1.5 * np.sqrt(np.pi / (WIDTH**2 * number))
    return Row("network", WIDTH, number, float(np.sqrt(np.mean(errors)) / moved), float(law))


def _decayed(space: FlatTorus, start: np.ndarray, time: float) -> np.ndarray:
    spectral = space.spectral
    factor = np.exp(-time * spectral.multiplier(WIDTH))
    parts = [spectral.backward(factor * spectral.forward(part.reshape(space.shape))) for part in start]
    return np.stack(parts).reshape(start.shape)


def _side(space: FlatTorus) -> np.ndarray:
    return space.spectral.coordinates()[1].ravel()


def _gauss(x: np.ndarray, width: float) -> np.ndarray:
    """The normalised periodic Gaussian on a circle."""
    images = np.arange(-_IMAGES, _IMAGES + 1) * 2 * np.pi
    found = sum(np.exp(-((x + image) ** 2) / (2 * width**2)) for image in images)
    return found / (np.sqrt(2 * np.pi) * width)


def _draw(path: Path, rows: list[Row]) -> None:
    with picture(path, columns=3) as (left, middle, right):
        for kind in TIMES:
            mine = [row for row in rows if row.kind == kind]
            label = f"{kind}: s^{order(rows, kind):.2f}"
            left.loglog([row.width for row in mine], [row.error for row in mine], "o-", label=label)
        left.set_xticks(WIDTHS, labels=[f"{width:g}" for width in WIDTHS])
        left.set_xticks([], minor=True)
        finished(left, xlabel="width s of the kernel [radian]", ylabel="rms of $g_s - g_0$", title="non-local to local")
        for width in NARROW:
            mine = [row for row in rows if (row.kind, row.width) == ("batch", width)]
            (line,) = middle.loglog(
                [row.number for row in mine], [row.error for row in mine], "o", label=f"s = {width:g}"
            )
            middle.loglog(
                [row.number for row in mine], [row.law for row in mine], color=line.get_color(), lw=0.8, ls="--"
            )
        finished(
            middle, xlabel="points N' of a batch", ylabel="relative noise", title="a batch for the continuum (- -: law)"
        )
        mine = [row for row in rows if row.kind == "network"]
        right.loglog(
            [row.number for row in mine], [row.error for row in mine], "o-", label=f"N^{order(rows, 'network'):.2f}"
        )
        right.loglog(
            [row.number for row in mine],
            [row.law for row in mine],
            color="0.5",
            lw=0.8,
            ls="--",
            label="1.5 sqrt(pi / s^2 N)",
        )
        finished(
            right,
            xlabel="units N of the network",
            ylabel="relative error of the flow",
            title=f"cosine networks, s = {WIDTH:g}",
        )
