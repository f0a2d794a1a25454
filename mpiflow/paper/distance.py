"""Figure 3 right: the mean Fubini-Study distance of unseen points to the nearest of N train points (HR 3.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.engine import nearest
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.paper.claims import Claim, near
from mpiflow.paper.picture import PAPER, finished, picture, show
from mpiflow.ranks.shards import split
from mpiflow.sampling import TEST, TRAIN, sample

TITLE = "Figure 3 right: mean nearest-neighbour distance against the number of points (HR 3.7)"
SIZES = {"laptop": 1_000_000, "node": 10_000_000, "cluster": 100_000_000}
#: Two sizes make a fit.
LEAST = 10_000
#: The paper's fit, mean distance = factor N^exponent, from 1e3 to 1e5 points in one chart.
FACTOR, EXPONENT = 0.968, -0.184
#: Points from which the distance is taken.
QUERIES = 2000
_CHARTS = {"one": "one chart", "all": "all charts"}


@dataclass(frozen=True)
class Row:
    """Distances of the queries to the nearest of `count` train points."""

    chart: str
    count: int
    least: float
    mean: float
    most: float
    error: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Measure from 1e3 to `size` points, in one chart and in all, fit, and draw out/distance.png; collective."""
    counts = [int(10**k) for k in np.arange(3, np.log10(size) + 1e-9, 0.5)]
    rows = [
        row for name, chart in (("one", (0, 1)), ("all", None)) for row in _measured(comm, seed, name, chart, counts)
    ]
    say(f"{'charts':8}{'points':>10}{'min':>11}{'mean':>11}{'max':>11}{'paper fit':>11}{'ratio':>8}")
    for row in rows:
        fit = FACTOR * row.count**EXPONENT
        told = f"{row.least:11.4g}{row.mean:11.4g}{row.most:11.4g}{fit:11.4g}{row.mean / fit:8.3f}"
        say(f"{row.chart:8}{row.count:10d}{told}")
    for name in ("one", "all"):
        within = [row for row in rows if row.chart == name and row.count <= 100_000]
        factor, exponent = fitted(within)
        say(f"fit to {name}, 1e3 to 1e5: {factor:.4f} N^{exponent:.4f}; paper {FACTOR} N^{EXPONENT}; theory N^-1/6")
    show(comm, say, out / "distance.png", _draw, rows)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The paper's fit from 1e3 to 1e5 points in one chart."""
    factor, exponent = fitted([row for row in rows if row.chart == "one" and row.count <= 100_000])
    return [
        near("prefactor of the mean distance to the nearest point", FACTOR, factor),
        near("its exponent in N", EXPONENT, exponent, within=0.01),
    ]


def fitted(rows: list[Row]) -> tuple[float, float]:
    """Factor and exponent of the power law through the means, by least squares of the logarithms."""
    slope, offset = np.polyfit(np.log([row.count for row in rows]), np.log([row.mean for row in rows]), 1)
    return float(np.exp(offset)), float(slope)


def _measured(comm: Comm, seed: int, name: str, chart, counts: list[int]) -> list[Row]:
    surface = Fermat().domain()
    queries = sample(Comm(), surface, QUERIES, seed, TEST, chart)[1].z
    own = split(QUERIES, comm.size, comm.rank)
    rows = []
    for count in counts:
        train = sample(Comm(), surface, count, seed, TRAIN, chart)[1].z
        distance = comm.allgather_rows(nearest(queries[own.start : own.stop], train)[1])
        error = distance.std() / np.sqrt(QUERIES)
        rows.append(Row(name, count, distance.min(), distance.mean(), distance.max(), error))
    return rows


def _draw(path: Path, rows: list[Row]) -> None:
    with picture(path) as axes:
        for colour, name in (("C0", "one"), ("C1", "all")):
            mine = [row for row in rows if row.chart == name]
            counts = [row.count for row in mine]
            axes.loglog(counts, [row.mean for row in mine], "o-", color=colour, ms=4, label=f"mean, {_CHARTS[name]}")
            axes.fill_between(counts, [r.least for r in mine], [r.most for r in mine], color=colour, alpha=0.12, lw=0)
        counts = np.array(counts, float)
        axes.loglog(counts, FACTOR * counts**EXPONENT, **PAPER, label=f"paper: {FACTOR} N^{EXPONENT}")
        axes.loglog(counts, mine[0].mean * (counts / counts[0]) ** (-1 / 6), "k:", lw=1, label="theory: N^(-1/6)")
        finished(
            axes,
            xlabel="train points N",
            ylabel="distance to the nearest (Fubini-Study)",
            title="bands: least to largest",
        )
