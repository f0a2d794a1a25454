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
from mpiflow.grids import rk4
from mpiflow.grids.fields.mse import MeanSquare
from mpiflow.grids.torus import FlatTorus
from mpiflow.grids.weights import Weighted
from mpiflow.paper.claims import Claim, near
from mpiflow.paper.picture import finished, picture, show
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
    """One measurement: "mse" or "ricci" at a width; "batch" of `number` points; "network" or "kernel" of `number` units.

    error: rms of g_s - g_0; of the kernel sum over the batch, relative; of the flow under the network from that under its
    limit, relative to what the flow has done; of the network's kernel, over its limit at a point. law: what it is held
    against, NaN for none.
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
    every += [partial(measured, space, seed, number) for measured in (_kernel, _network) for number in NETWORKS]
    rows = shared(comm, every, lambda measured: measured())
    say(f"{'kind':>8}{'width':>8}{'number':>8}{'error':>12}{'law':>12}")
    for row in rows:
        say(f"{row.kind:>8}{row.width:8g}{row.number or '':>8}{row.error:12.3e}{row.law:12.3e}")
    for kind in TIMES:
        say(f"{kind}: |g_s - g_0| falls as s^{order(rows, kind):.3f}")
    say(
        f"networks: their kernel's error falls as N^{order(rows, 'kernel'):.3f}, their flow's as N^{order(rows, 'network'):.3f}"
    )
    show(comm, say, out / "local.png", _draw, rows)
    return rows


def order(rows: list[Row], kind: str) -> float:
    """The power by which the errors of a kind grow: with the width, of its narrower half, or with the number of units."""
    mine = [row for row in rows if row.kind == kind]
    if kind in ("kernel", "network"):
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
    for kind, what in (("kernel", "kernel"), ("network", "flow")):
        found.append(
            Claim(f"networks: order of the error of their {what} in N", "-1/2", order(rows, kind), -0.65, -0.4)
        )
    return found


def _flowed(space: FlatTorus, kind: str, width: float) -> Row:
    ends = [_end(space, kind, s) for s in (width, 0.0)]
    return Row(kind, width, 0, float(np.sqrt(np.mean((ends[0] - ends[1]) ** 2))), float("nan"))


def _end(space: FlatTorus, kind: str, width: float) -> np.ndarray:
    velocities = {"mse": lambda u: MeanSquare().velocity(space, u, width), "ricci": lambda u: space.ricci(u, width)}
    return _after(space, velocities[kind], TIMES[kind])


def _after(space: FlatTorus, velocity: Callable[[np.ndarray], np.ndarray], time: float) -> np.ndarray:
    u = space.start()
    for _ in range(STEPS):
        u = rk4.step(velocity, u, time / STEPS)
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


def _drawn(seed: int, number: int) -> list[Weighted]:
    """Flows under networks of so many units, whose limit is the Gaussian."""
    return [Weighted(MeanSquare(), 0.0, 0.0, None, DRAWS * seed + draw, number) for draw in range(DRAWS)]


def _kernel(space: FlatTorus, seed: int, number: int) -> Row:
    """K_N(x, 0) over K(0, 0), against the variance of one unit: 1 + G(2 x) / 2 - G(x)^2, G the limit."""
    point = np.zeros(space.shape)
    point[0, 0] = 1.0
    limit = space.smoothed(point, WIDTH)
    errors = [np.mean((made.spread(space, WIDTH)(point) - limit) ** 2) for made in _drawn(seed, number)]
    once, twice = (_gauss(turn * _side(space), WIDTH) / _gauss(np.zeros(1), WIDTH) for turn in (1, 2))
    variance = 1 + np.multiply.outer(twice, twice) / 2 - np.multiply.outer(once, once) ** 2
    return Row(
        "kernel", WIDTH, number, float(np.sqrt(np.mean(errors)) / limit.max()), float(np.sqrt(variance.mean() / number))
    )


def _network(space: FlatTorus, seed: int, number: int) -> Row:
    """The flow of HR 2.13 with the kernel of a cosine network whose frequencies are whole numbers."""
    start, exact = space.start(), _end(space, "mse", WIDTH)
    ends = [
        _after(space, lambda u, made=made: made.velocity(space, u, WIDTH), TIMES["mse"])
        for made in _drawn(seed, number)
    ]
    error = np.sqrt(np.mean([(end - exact) ** 2 for end in ends]) / np.mean((exact - start) ** 2))
    return Row("network", WIDTH, number, float(error), float(1.5 * np.sqrt(np.pi / (WIDTH**2 * number))))


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
        for kind, what, law in (
            ("network", "flow", "1.5 sqrt(pi / s^2 N)"),
            ("kernel", "kernel", "sqrt(variance / N)"),
        ):
            mine = [row for row in rows if row.kind == kind]
            units = [row.number for row in mine]
            (line,) = right.loglog(units, [row.error for row in mine], "o", label=f"{what}: N^{order(rows, kind):.2f}")
            right.loglog(units, [row.law for row in mine], color=line.get_color(), lw=0.8, ls="--", label=law)
        finished(
            right,
            xlabel="units N of the network",
            ylabel="relative error",
            title=f"cosine networks, s = {WIDTH:g}",
        )
