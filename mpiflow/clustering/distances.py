"""Sums of Fubini-Study distances to clusters, streamed in tiles: nothing of size N x M is stored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow.geometry.projective import embedding

#: Rows and columns of a tile: one tile of float64 stays in the second-level cache.
ROWS, COLUMNS = 128, 1024


def factors(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left and right factors with left(z) @ right(w)^T = cos 2d(z, w) = 2 |<z, w>|^2 - 1 for |z| = |w| = 1.

    z: (N, n+1) complex. Returns two (N, (n+1)^2 + 1) float64. cos 2d, unlike cos d, needs no square root.
    """
    scaled = np.sqrt(2.0) * embedding(z)
    one = np.ones((len(z), 1))
    return np.hstack([scaled, one]), np.hstack([scaled, -one])


class Tile:
    """A buffer for the distances of one tile after another."""

    def __init__(self):
        self.buffer = np.empty(ROWS * COLUMNS)

    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """left @ right^T of at most ROWS x COLUMNS entries; overwritten by the next tile."""
        shape = (len(left), len(right))
        return np.matmul(left, right.T, out=self.buffer[: shape[0] * shape[1]].reshape(shape))

    def distances(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Distances from left and right factors: float64, absolute error 1e-16 / d; overwritten by the next tile."""
        d = self.products(left, right)
        np.clip(d, -1.0, 1.0, out=d)
        np.arccos(d, out=d)
        d *= 0.5
        return d


def tiles(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Tiles of a rows x columns array, row by row."""
    for top in range(0, rows, ROWS):
        for start in range(0, columns, COLUMNS):
            yield slice(top, min(top + ROWS, rows)), slice(start, min(start + COLUMNS, columns))


def sums_to_clusters(z: np.ndarray, w: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """Sum of the distances of each point to the members of each cluster.

    z: (N, n+1), w: (M, n+1) complex; label: (M,) int, cluster of each w. Returns (N, count) float64.
    The bits depend on z, w and label alone.
    """
    order = np.argsort(label, kind="stable")
    left, right = factors(z)[0], factors(w[order])[1]
    label = label[order]
    sums = np.zeros((len(z), count))
    tile = Tile()
    for rows, columns in tiles(len(z), len(w)):
        d = tile.distances(left[rows], right[columns])
        present, starts = np.unique(label[columns], return_index=True)
        sums[rows, present] += np.add.reduceat(d, starts, axis=1)
    return sums


def sums_between_clusters(
    z: np.ndarray, label: np.ndarray, w: np.ndarray, w_label: np.ndarray, count: int
) -> np.ndarray:
    """Sum of the distances between each cluster of z and each cluster of w: (count, count) float64."""
    sums = np.zeros((count, count))
    np.add.at(sums, label, sums_to_clusters(z, w, w_label, count))
    return sums
