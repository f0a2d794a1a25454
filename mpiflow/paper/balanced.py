"""Balanced metrics by Donaldson's T-map, beside Gauss-Newton on the same sections: what a functional is worth (HR app. B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told

TITLE = "balanced metrics by Donaldson's T-map, as 1/k^2, beside Gauss-Newton on the same sections"
SIZES = {"laptop": 4000, "node": 20_000, "cluster": 100_000}
LEAST = 300
#: Degrees of the invariants of the quintic, and of all sections of a quintic without symmetry, where points allow.
DEGREES, GENERIC, STEPS = (2, 3, 4, 5, 6, 7, 8), (2,), 10
#: Degrees from which on the law is fitted.
FITTED = 4


@dataclass(frozen=True)
class Row:
    """One degree. sigma, gain: of the balanced metric on unseen points; newton: the gain of Gauss-Newton there.

    settled: the change of sigma on train points in the last step, relative.
    """

    features: str
    degree: int
    functions: int
    sigma: float
    gain: float
    newton: float
    settled: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Balance each degree on `size` points, solve it by Gauss-Newton, and draw out/balanced.png; collective."""
    say(
        f"{'sections':>10}{'k':>4}{'functions':>11}{'sigma':>10}{'k^2 sigma':>11}{'gain':>8}{'Gauss-Newton':>14}{'settled':>10}"
    )
    every = [("invariant", degree) for degree in DEGREES] + [("generic", degree) for degree in GENERIC]
    rows = told((_row(comm, *each, size, seed) for each in every), say, _line)
    say(f"sigma falls as k^-{order(rows):.2f}, k = {FITTED} to {DEGREES[-1]}")
    show(comm, say, out / "balanced.png", _draw, rows, size)
    return rows


def order(rows: list[Row]) -> float:
    """p of sigma = f k^-p over the invariants, by least squares of logarithms."""
    points = [(row.degree, row.sigma) for row in rows if row.features == "invariant" and row.degree >= FITTED]
    return -float(np.polyfit(*np.log(np.array(points).T), 1)[0])


def claims(rows: list[Row]) -> list[Claim]:
    """Balanced metrics tend to the Ricci-flat one as 1/k^2, and what lowers log eta itself is always nearer."""
    last = max((row for row in rows if row.features == "invariant"), key=lambda row: row.degree)
    nearer = float(all(row.newton >= row.gain for row in rows))
    return [
        Claim(f"p of sigma = k^-p of balanced metrics, k = {FITTED} to {last.degree}", "2", order(rows), 1.6, 2.4),
        Claim(f"last step's change of sigma, k = {last.degree}", "0: a fixed point", last.settled, 0, 1e-3),
        Claim("Gauss-Newton gains at least as much at every k (1: yes)", "not said: 1", nearer, 1, 1),
    ]


def _row(comm: Comm, features: str, degree: int, size: int, seed: int) -> Row:
    keys = {"name": "kaehler", "degree": degree, "features": features, "potential": "log"}
    table = {
        "run": {"seed": seed},
        "manifold": {"family": "fermat"} if features == "invariant" else {"family": "random", "seed": 1},
        "points": {"train": size, "test": 2000, "chart": "all"},
        "kernel": keys,
    }
    made = Flowing.begun(comm, check(table | {"flow": _flow("donaldson", STEPS)}, "balanced"))
    made.begin()
    made.finish()
    before, after = made.history.arrays()["sigma_train"][-2:]
    inner = {"inner": 60} if features == "generic" else {}
    ridge = {"ridge": 1e-3} if features == "generic" else {}
    flow = _flow({"name": "gauss-newton"} | inner, 8)
    newton = Flowing.begun(comm, check(table | {"kernel": keys | ridge, "flow": flow}, "balanced")).finish()
    unseen = made.table()[1]
    functions, gain = len(made.flow.features), newton.table()[1].gain
    return Row(features, degree, functions, unseen.sigma, unseen.gain, gain, abs(float(after / before - 1)))


def _flow(search: str | dict, steps: int) -> dict:
    return {"dt": 1.0, "steps": steps, "search": search}


def _line(row: Row) -> str:
    scaled = row.degree**2 * row.sigma
    return (
        f"{row.features:>10}{row.degree:4}{row.functions:11}{row.sigma:10.4g}{scaled:11.3f}{row.gain:8.2f}"
        f"{row.newton:14.4g}{row.settled:10.1e}"
    )


def _draw(path: Path, rows: list[Row], size: int) -> None:
    mine = [row for row in rows if row.features == "invariant"]
    degrees = np.array([row.degree for row in mine])
    with picture(path) as axes:
        axes.semilogy(degrees, [row.gain for row in mine], "o-", label="balanced (Donaldson's map)")
        axes.semilogy(degrees, [row.newton for row in mine], "s-", label="Gauss-Newton, the same sections")
        last = mine[-1]
        axes.semilogy(
            degrees, last.gain * (degrees / last.degree) ** 2, color="0.45", ls="--", lw=1.2, label="as $k^2$"
        )
        axes.set_xticks(degrees)
        finished(axes, xlabel="degree k", ylabel="gain in sigma, unseen points", title=f"Fermat quintic, {size} points")
