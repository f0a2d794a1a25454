"""k-means in the embedding P(z), where |P(z) - P(w)|^2 = 2 sin^2 d: Lloyd's iteration over all ranks, linear in N."""

from __future__ import annotations

import numpy as np

from mpiflow import streams
from mpiflow.clustering.batches import Batches
from mpiflow.clustering.merges.merge import Merge
from mpiflow.comm import Comm
from mpiflow.geometry.projective import embedding

#: Points from which the first centres are found, and how often that is tried.
SAMPLE, TRIALS = 10_000, 8
#: Lloyd's iterations end when the sum of squares falls by less than this fraction of itself, or after so many.
TOLERANCE, ITERATIONS = 1e-5, 100
# Rows compared with all centres at once.
_ROWS = 1024


class KMeans(Merge):
    """clusters.merge = "kmeans": no batches, each point to the nearest of moving means.

    Only the order of sums depends on the batches. Clusters are numbered by their lowest member.
    """

    name = "kmeans"
    at_once = True

    def merge(self, batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Clusters, and the bytes that this rank received in each iteration; collective."""
        points = embedding(z)
        chunks = [points[batches.rows(b)] for b in batches.mine]
        numbers = np.array(batches.mine, np.int64)
        centres, rounds = lloyd(batches.comm, numbers, chunks, _first_centres(batches, z, count))
        found = np.concatenate([np.zeros(0, np.int64), *(nearest(chunk, centres)[0] for chunk in chunks)])
        others = (batches.count - len(batches.mine)) * count * (points.shape[1] + 2) * 8
        return _numbered(batches, found, count), np.full(rounds, others, np.int64)


def lloyd(comm: Comm, numbers: np.ndarray, chunks: list[np.ndarray], centres: np.ndarray) -> tuple[np.ndarray, int]:
    """Centres that are the means of the points nearest to them, and the iterations taken. Collective.

    numbers: global numbers of the chunks; chunks: (m, D) each; centres: (C, D). A centre without points stays.
    """
    last, done = np.inf, 0
    while done < ITERATIONS:
        done += 1
        partial = np.array([_moments(chunk, centres) for chunk in chunks])
        total = comm.sum(numbers, partial.reshape(-1, len(centres), centres.shape[1] + 2))
        size, squares = total[:, :1], total[:, 1].sum()
        centres = np.where(size > 0, total[:, 2:] / np.maximum(size, 1), centres)
        if last - squares <= TOLERANCE * squares:
            break
        last = squares
    return centres, done


def nearest(points: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest centre of each point, the lowest on ties, and the squared distance: (N,) int64, (N,) float64."""
    label, square = np.empty(len(points), np.int64), np.empty(len(points))
    norm = (centres**2).sum(1)
    for start in range(0, len(points), _ROWS):
        rows = slice(start, start + _ROWS)
        away = norm - 2.0 * (points[rows] @ centres.T)
        label[rows] = away.argmin(1)
        square[rows] = 1.0 + away.min(1)  # |P| = 1
    return label, square


def _moments(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Size, sum of squares and sum of the points nearest to each centre: (C, D + 2) float64."""
    label, square = nearest(points, centres)
    columns = [np.bincount(label, column, len(centres)) for column in (None, square, *points.T)]
    return np.stack(columns, axis=1)


def _first_centres(batches: Batches, z: np.ndarray, count: int) -> np.ndarray:
    """Centres of a sample, the best of several starts by k-means++: the same on every rank."""
    chosen = np.arange(min(SAMPLE, batches.total)) * batches.total // min(SAMPLE, batches.total)
    first = batches.mine.start * batches.batch
    own = chosen[(chosen >= first) & (chosen < first + len(z))] - first
    sample = embedding(batches.comm.allgather_rows(z[own]))
    best, least = None, np.inf
    for trial in range(TRIALS):
        start = _spread(sample, count, streams.starts(trial))
        centres, _ = lloyd(Comm(), np.zeros(1, np.int64), [sample], start)
        squares = nearest(sample, centres)[1].sum()
        if squares < least:
            best, least = centres, squares
    return best


def _spread(points: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """k-means++: each further centre is a point drawn with probability proportional to its squared distance."""
    centres = points[draw.integers(len(points))][None]
    square = nearest(points, centres)[1]
    while len(centres) < count:
        reach = np.cumsum(np.maximum(square, 0.0))
        fresh = points[min(np.searchsorted(reach, draw.random() * reach[-1], side="right"), len(points) - 1)][None]
        centres = np.concatenate([centres, fresh])
        square = np.minimum(square, nearest(points, fresh)[1])
    return centres


def _numbered(batches: Batches, label: np.ndarray, count: int) -> np.ndarray:
    """The same clusters, numbered by their lowest member over all ranks; empty ones come last."""
    lowest = np.full(count, batches.total)
    present, where = np.unique(label, return_index=True)
    lowest[present] = where + batches.mine.start * batches.batch
    lowest = np.min(batches.comm.allgather(lowest), axis=0)
    return np.argsort(np.argsort(lowest, kind="stable"))[label].astype(np.int32)
