"""Kernels of other architectures, and how finite networks tend to their limits (HR 2.19 - 2.23, 2.31 - 2.37)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.cosine import Cosine
from mpiflow.kernels.gauss_net import GaussNet
from mpiflow.measures import mean
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import PAPER, finished, picture, show

TITLE = "kernels of other architectures, and finite networks on their way to the limit (HR 2.19 - 2.23, 2.31 - 2.37)"
SIZES = {"laptop": 1000, "node": 4000, "cluster": 16_000}
#: Units of finite networks; those of flows; networks drawn for each width.
UNITS, FLOWED, DRAWS = (64, 256, 1024, 4096, 16_384), (64, 256, 1024, 4096), 5
#: Points of whose pairs the scatter of a kernel is measured; points, steps and dt of flows of finite networks, short ones: the
#: error of a long flow is no more linear in that of its kernel.
PAIRS, FEW, STEPS, DT = 60, 200, 10, 0.03
#: Of each architecture a kernel, and the step that suits it.
KERNELS = {
    "relu": ({"depth": 2}, 0.05),
    "erf": ({"depth": 2}, 0.05),
    "gelu": ({"depth": 2}, 0.1),
    "cosine": ({"w_std": 2.5}, 0.3),
    "gauss-net": ({"w_std": 5.0}, 0.3),
}
DRAWN = {"cosine": Cosine(w_std=2.5), "gauss-net": GaussNet(w_std=1.0)}


@dataclass(frozen=True)
class Row:
    """One architecture, in the limit where units is 0.

    train_gain, gain: of the limit's flow of 50 steps. scatter: rms of K_N - K over pairs and draws; exact: its standard
    deviation in closed form; moved: rms of g_N - g over that of g - g_FS on unseen points, with a network for each component.
    """

    kernel: str
    units: int
    train_gain: float = np.nan
    gain: float = np.nan
    scatter: float = np.nan
    exact: float = np.nan
    moved: float = np.nan


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow under each kernel on `size` points, draw finite networks, and draw out/architectures.png; collective."""
    rows = []
    say(f"{'kernel':>12}{'units':>10}{'train gain':>12}{'unseen':>8}{'K_N - K':>11}{'over exact':>12}{'g_N - g':>10}")
    for name, (keys, dt) in KERNELS.items():
        found = _flowed(comm, size, seed, dt, 50, {"name": name} | keys).table()
        rows.append(Row(name, 0, found[0].gain, found[1].gain))
        say(_line(rows[-1]))
    for name, kernel in DRAWN.items():
        for units in UNITS:
            scatter, exact = scattered(comm, kernel, units, seed)
            moved = _moved(comm, kernel, units, seed) if units in FLOWED else np.nan
            rows.append(Row(name, units, scatter=scatter, exact=exact, moved=moved))
            say(_line(rows[-1]))
    for name in DRAWN:
        say(
            f"{name}: K_N - K falls as N^-{order(rows, name, 'scatter'):.2f}, g_N - g as N^-{order(rows, name, 'moved'):.2f}"
        )
    show(comm, say, out / "architectures.png", _draw, rows, size)
    return rows


def scattered(comm: Comm, kernel: Cosine | GaussNet, units: int, seed: int) -> tuple[float, float]:
    """rms over pairs of points of X, and over networks, of K_N - K; and the exact standard deviation. Rank 0 computes it."""
    return comm.led(_scattered, kernel, units, seed)


def _scattered(kernel: Cosine | GaussNet, units: int, seed: int) -> tuple[float, float]:
    table = {"points": {"train": PAIRS}, "run": {"seed": seed}, "kernel": kernel.model_dump(), "flow": {"dt": 1.0}}
    z = Flowing.begun(Comm(), check(table, "architectures")).train.points.z
    limit, draws = kernel.tile(z, z), max(100, 25_600 // units)
    drawn = (kernel.model_copy(update={"units": units, "seed": seed * 10_000 + draw}) for draw in range(draws))
    found = np.sqrt(np.mean([np.mean((one.tile(z, z) - limit) ** 2) for one in drawn]))
    return float(found), float(np.sqrt(kernel.variance(z).mean() / units))


def order(rows: list[Row], kernel: str, what: str) -> float:
    """p of N^-p, by least squares of logarithms."""
    points = [(row.units, getattr(row, what)) for row in rows if row.kernel == kernel and getattr(row, what) > 0]
    return -float(np.polyfit(*np.log(np.array(points).T), 1)[0])


def claims(rows: list[Row]) -> list[Claim]:
    """Finite networks tend to the limit as HR say, and no kernel of independent components gains more than about 5."""
    limits, found = [row for row in rows if row.units == 0], []
    for name in DRAWN:
        ratios = [row.scatter / row.exact for row in rows if row.kernel == name and row.units]
        found += [
            Claim(f"{name}: K_N - K over its exact deviation, farthest from 1", "1", max(ratios, key=_off), 0.9, 1.1),
            Claim(f"{name}: order of K_N - K in 1/N", "1/2", order(rows, name, "scatter"), 0.4, 0.66),
            Claim(f"{name}: order of g_N - g in 1/N", "1/2", order(rows, name, "moved"), 0.4, 0.66),
        ]
    best = max(row.gain for row in limits)
    return [*found, Claim("best gain on unseen points of these kernels", "about 5 at most", best, 1.0, 6.0)]


def _off(ratio: float) -> float:
    return abs(np.log(ratio))


def _flowed(comm: Comm, size: int, seed: int, dt: float, steps: int, kernel: dict) -> Flowing:
    table = {"run": {"seed": seed}, "points": {"train": size, "test": 1000}, "flow": {"dt": dt, "steps": steps}}
    return Flowing.begun(comm, check(table | {"kernel": kernel}, "architectures")).finish()


def _moved(comm: Comm, kernel: Cosine | GaussNet, units: int, seed: int) -> float:
    """rms over unseen points and networks of g_N - g, over that of g - g_FS; collective."""
    limit = _few(comm, kernel, seed, {})
    begun = limit.test.reference(limit.surface)
    g = limit.watched()
    squares = [
        _square(
            limit, _few(comm, kernel, seed, {"units": units, "networks": 9, "seed": seed * 100 + draw}).watched() - g
        )
        for draw in range(DRAWS)
    ]
    return float(np.sqrt(np.mean(squares) / _square(limit, g - begun)))


def _few(comm: Comm, kernel: Cosine | GaussNet, seed: int, keys: dict) -> Flowing:
    return _flowed(comm, FEW, seed, DT, STEPS, kernel.model_dump(exclude_none=True) | keys)


def _square(made: Flowing, matrix: np.ndarray) -> float:
    return mean(made.test.layout, made.test.points, (np.abs(matrix) ** 2).sum((1, 2)))


def _line(row: Row) -> str:
    if not row.units:
        return f"{row.kernel:>12}{'infinite':>10}{row.train_gain:12.3f}{row.gain:8.3f}"
    moved = "" if np.isnan(row.moved) else f"{row.moved:10.3f}"
    return f"{row.kernel:>12}{row.units:>10}{'':20}{row.scatter:11.4g}{row.scatter / row.exact:12.3f}{moved}"


def _draw(path: Path, rows: list[Row], size: int) -> None:
    limits = [row for row in rows if not row.units]
    with picture(path, columns=2) as (left, right):
        for number, name in enumerate(DRAWN):
            mine = [row for row in rows if row.kernel == name and row.units]
            flowed = [row for row in mine if not np.isnan(row.moved)]
            colour = f"C{number}"
            left.loglog(
                [row.units for row in mine], [row.scatter for row in mine], "o", color=colour, label=f"{name}: kernel"
            )
            left.loglog([row.units for row in mine], [row.exact for row in mine], color=colour, lw=1)
            left.loglog(
                [row.units for row in flowed], [row.moved for row in flowed], "s:", color=colour, label=f"{name}: flow"
            )
        places = np.arange(len(limits))
        right.bar(places - 0.2, [row.train_gain for row in limits], 0.4, label="train points")
        right.bar(places + 0.2, [row.gain for row in limits], 0.4, label="unseen points")
        right.axhline(5, label="best on unseen points (paper)", **PAPER)
        right.set_xticks(places, labels=[row.kernel for row in limits])
        finished(left, xlabel="units N", ylabel="rms distance from the limit", title="lines: exact, as $N^{-1/2}$")
        finished(right, ylabel="gain in sigma", title=f"the limits' flows, {size} train points")
