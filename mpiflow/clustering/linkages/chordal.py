"""Average linkage on the mean of sin^2 d, from cluster means alone: O(N) memory, no distance matrix."""

from __future__ import annotations

import numpy as np

from mpiflow.clustering.distances import Tile, tiles
from mpiflow.clustering.linkages.linkage import Linkage
from mpiflow.clustering.partition import components
from mpiflow.geometry.projective import embedding


class Chordal(Linkage):
    """clusters.linkage = "chordal": average linkage on mean sin^2 d = 1 - <mu_A, mu_B>, mu the mean of P(z).

    This is another dissimilarity than the mean of d itself, and gives other clusters (theory 5 asks for d).
    """

    name = "chordal"

    def label(self, z: np.ndarray, count: int) -> np.ndarray:
        """(M, n+1) to (M,) int."""
        pairs, height = _merges(embedding(z))
        order = np.argsort(height, kind="stable")[: len(z) - count]
        return components(pairs[order], len(z))


def _merges(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All merges, as pairs of a point of either cluster (N-1, 2), and their heights (N-1,).

    All pairs that are each other's nearest cluster merge in one round: average linkage is reducible (a union is never
    nearer than the nearer of its parts), so this is the tree of the one-by-one search, and only clusters whose nearest
    one has merged look for another.
    """
    point, size = np.arange(len(mean)), np.ones(len(mean))
    nearest, overlap = _nearest(mean, np.arange(len(mean)))
    pairs, heights = [], []
    while len(mean) > 1:
        low, high = _reciprocal(nearest, overlap)
        pairs.append(np.stack([point[low], point[high]], axis=1))
        heights.append(1.0 - overlap[low])
        whole = size[low] + size[high]
        mean[low] = (size[low, None] * mean[low] + size[high, None] * mean[high]) / whole[:, None]
        size[low] = whole
        changed = np.zeros(len(mean), bool)
        changed[low] = changed[high] = True
        stale = changed | changed[nearest]
        keep = np.ones(len(mean), bool)
        keep[high] = False
        place = np.cumsum(keep) - 1
        nearest = place[nearest]
        mean, point, size, nearest, overlap, stale = (x[keep] for x in (mean, point, size, nearest, overlap, stale))
        stale = np.flatnonzero(stale)
        nearest[stale], overlap[stale] = _nearest(mean, stale)
    return np.concatenate([np.zeros((0, 2), int), *pairs]), np.concatenate([np.zeros(0), *heights])


def _reciprocal(nearest: np.ndarray, overlap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (low, high) that are each other's nearest clusters; where rounding leaves none, the nearest pair of all."""
    every = np.arange(len(nearest))
    low = np.flatnonzero((nearest[nearest] == every) & (every < nearest))
    if len(low):
        return low, nearest[low]
    best = overlap.argmax()
    return np.array([min(best, nearest[best])]), np.array([max(best, nearest[best])])


def _nearest(mean: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of largest overlap <mu, mu'> with each of the given ones, and that overlap."""
    nearest, best = np.zeros(len(rows), np.int64), np.full(len(rows), -np.inf)
    tile = Tile()
    for run, columns in tiles(len(rows), len(mean)):
        own = rows[run]
        overlap = tile.products(mean[own], mean[columns])
        inside = np.flatnonzero((own >= columns.start) & (own < columns.stop))
        overlap[inside, own[inside] - columns.start] = -np.inf
        top = overlap.argmax(1)
        value = overlap[np.arange(len(own)), top]
        nearer = value > best[run]
        nearest[run] = np.where(nearer, top + columns.start, nearest[run])
        best[run] = np.where(nearer, value, best[run])
    return nearest, best
