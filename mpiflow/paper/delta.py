"""The Delta kernel with more and more train points: the measured gain beside the paper's extrapolation (HR 3.2.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow import losses
from mpiflow.comm import Comm
from mpiflow.engine import nearest
from mpiflow.functionals.log import Log
from mpiflow.geometry.domain import Domain
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import PAPER, finished, picture, show
from mpiflow.ranks.shards import split
from mpiflow.sampling import TEST, TRAIN, Points, sample

TITLE = "the Delta kernel from 1e3 to 1e7 points beside the paper's extrapolation (HR 3.2.4)"
SIZES = {"laptop": 10_000_000, "node": 100_000_000, "cluster": 1_000_000_000}
#: Two sizes make a fit.
LEAST = 10_000
#: The paper's extrapolation: a gain of 100 on unseen points takes 1e8 train points.
PAPER_GAIN, PAPER_POINTS = 100.0, 1e8
QUERIES, STEPS, DT = 2000, 50, 0.01
CHART = (0, 1)
#: Train points that are held at once: each query keeps the nearest of all stretches.
STRETCH = 1_000_000


@dataclass(frozen=True)
class Row:
    """Unseen points that follow the nearest of `count` train points: mean distance, sigma and gain."""

    count: int
    distance: float
    sigma: float
    gain: float
    error: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Measure from 1e3 to `size` train points, redo the fit, and draw out/delta.png; collective.

    Under the Delta kernel a train point is its own source, so only the points that are nearest to a query are flowed.
    """
    surface, counts = Fermat().domain(), [int(10**k) for k in np.arange(3, np.log10(size) + 1e-9, 0.5)]
    test = sample(Comm(), surface, QUERIES, seed, TEST, CHART)[1]
    rows = [_measured(surface, test, near, *found) for *found, near in _nearest(comm, seed, surface, test, counts)]
    say(f"{'train points':>12}{'distance':>11}{'sigma':>11}{'gain':>9}{'+-':>8}")
    for row in rows:
        say(f"{row.count:12d}{row.distance:11.4g}{row.sigma:11.4g}{row.gain:9.4g}{row.error:8.2g}")
    factor, exponent = fitted(rows)
    need = (PAPER_GAIN / factor) ** (1 / exponent)
    say(f"fit: gain = {factor:.3g} N^{exponent:.3f}; a gain of 100 needs {need:.1e} points; paper {PAPER_POINTS:.0e}")
    show(comm, say, out / "delta.png", _draw, rows)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The paper's extrapolation to a gain of 100, and its best gain on unseen points up to 1e5 train points."""
    factor, exponent = fitted(rows)
    need = (PAPER_GAIN / factor) ** (1 / exponent)
    within = max(row.gain for row in rows if row.count <= 100_000)
    return [
        Claim(
            "Delta kernel: train points for a gain of 100 on unseen points",
            f"{PAPER_POINTS:.0e}",
            need,
            PAPER_POINTS / 10,
            PAPER_POINTS * 10,
            "the gain grows as c / d with c near .3, and d falls only as N^-.18: measured to the largest size of the table",
        ),
        Claim("Delta kernel: gain on unseen points, up to 1e5 train points", "at most about 5", within, 1.0, 5.5),
    ]


def fitted(rows: list[Row]) -> tuple[float, float]:
    """Factor and exponent of gain = factor N^exponent over the rows of 1e4 points and more, where it has set in."""
    settled = [row for row in rows if row.count >= 10_000]
    used = settled if len(settled) > 1 else rows
    exponent, offset = np.polyfit(np.log([row.count for row in used]), np.log([row.gain for row in used]), 1)
    return float(np.exp(offset)), float(exponent)


def flowed(surface: Domain, points: Points, kappa: float) -> np.ndarray:
    """g - g_FS of points that are each their own source, after STEPS steps of (log eta)^2: (N, d, d) complex128."""
    reference = surface.reference(points.z, points.chart)
    g = reference.copy()
    for _ in range(STEPS):
        g = g - DT * losses.gradient(g, losses.eta(g, points.omega2, kappa), Log())
    return g - reference


def _nearest(comm: Comm, seed: int, surface: Domain, test: Points, counts: list[int]):
    """(count, kappa, distance, nearest train points) for each count, from stretches of the stream of train points."""
    best, near = np.full(QUERIES, np.inf), test.z.copy()
    cuts = sorted({*counts, *range(STRETCH, counts[-1], STRETCH)})
    weight = volume = 0.0
    own, chunks = split(QUERIES, comm.size, comm.rank), _Stream(comm, seed, surface)
    done = 0
    for cut in cuts:
        z = chunks.take(cut - done)
        points_weight, points_volume = chunks.totals
        weight, volume, done = weight + points_weight, volume + points_volume, cut
        index, distance = nearest(test.z[own.start : own.stop], z)
        index, distance = comm.allgather_rows(index), comm.allgather_rows(distance)
        better = distance < best
        best[better], near[better] = distance[better], z[index[better]]
        if cut in counts:
            yield cut, volume / weight, best.copy(), near.copy()


class _Stream:
    """Train points in their order, a stretch at a time; every rank gets all, each makes its share of the chunks."""

    def __init__(self, comm: Comm, seed: int, surface: Domain):
        self.comm, self.seed, self.surface = comm, seed, surface
        self.next, self.rest = 0, None
        self.totals = (0.0, 0.0)

    def take(self, count: int) -> np.ndarray:
        """The next `count` points: (count, n+1) complex; `totals` are their sums of w and of w det g_FS / |Omega|^2 = 1."""
        from mpiflow.sampling import chunk

        parts = [] if self.rest is None else [self.rest]
        held = sum(len(part) for part in parts)
        while held < count:
            made = chunk(self.surface, self.seed, TRAIN, self.next + self.comm.rank, CHART)
            fresh = self.comm.allgather(np.column_stack([made.z, made.weight]))
            self.next += self.comm.size
            parts += fresh
            held += sum(len(part) for part in fresh)
        every = np.concatenate(parts)
        taken, self.rest = every[:count], every[count:]
        self.totals = (float(taken[:, -1].real.sum()), float(count))
        return np.ascontiguousarray(taken[:, :-1])


def _measured(surface, test: Points, near_z: np.ndarray, count: int, kappa: float, distance: np.ndarray) -> Row:

    near = surface.described(near_z, np.broadcast_to(np.array(CHART, np.int8), (len(near_z), 2)))
    reference = surface.reference(test.z, test.chart)
    g = reference + flowed(surface, near, kappa)
    before, after = (_deviation(test, metric) for metric in (reference, g))
    sigma = (test.weight * after).sum() / test.weight.sum()
    gain = (test.weight * before).sum() / (test.weight * after).sum()
    spread = test.weight * after / (test.weight * after).mean()
    return Row(count, float(distance.mean()), float(sigma), float(gain), float(gain * spread.std() / QUERIES**0.5))


def _deviation(points: Points, g: np.ndarray) -> np.ndarray:
    ratio = losses.determinant(g) / points.omega2
    return np.abs(1 - ratio * points.weight.sum() / (points.weight * ratio).sum())


def _draw(path: Path, rows: list[Row]) -> None:
    counts = np.array([row.count for row in rows], float)
    factor, exponent = fitted(rows)
    with picture(path) as axes:
        gains, errors = [row.gain for row in rows], [row.error for row in rows]
        axes.errorbar(counts, gains, errors, fmt="o", color="C0", ms=4, label="measured, unseen points")
        line = np.array([counts[0], max(PAPER_POINTS, counts[-1])])
        axes.loglog(line, factor * line**exponent, "C0-", lw=1, label=f"fit: {factor:.2g} N^{exponent:.3f}")
        axes.plot(PAPER_POINTS, PAPER_GAIN, "D", color=PAPER["color"], label="paper's extrapolation")
        finished(axes, xlabel="train points N", ylabel="gain sigma(g_FS) / sigma(g)", title="Delta kernel")
