"""Agglomerative clustering of one mini-batch by the tree of its merges (HR 3.1).

fastcluster is loaded where it is called: it brings much of SciPy, and a run of one cluster has no use for it. Where there is
none (it has no wheel for Python 3.14), SciPy gives the same labels, and `ward` too takes 16 bytes a pair of points then.
"""

from __future__ import annotations

import numpy as np

from mpiflow.clustering.distances import Tile, factors, tiles
from mpiflow.clustering.partition import cut


def clusters(of: np.ndarray, method: str, points: int, count: int) -> np.ndarray:
    """Labels of a method of SciPy's: (points,) int32. of: condensed distances, or points (M, k) of `ward`."""
    return cut(_tree(of, method), points, count) if points > 1 else np.zeros(1, np.int32)


def condensed_distances(z: np.ndarray) -> np.ndarray:
    """Distances of all pairs i < j, row after row (SciPy's condensed form): (M, n+1) complex to (M (M-1)/2,)."""
    total = len(z)
    left, right = factors(z)
    result = np.empty(total * (total - 1) // 2)
    tile = Tile()
    for rows, columns in tiles(total, total):
        if columns.stop - 1 <= rows.start:
            continue
        d = tile.distances(left[rows], right[columns])
        for i in range(rows.start, rows.stop):
            first = max(columns.start, i + 1)
            if first < columns.stop:
                start = i * (2 * total - i - 1) // 2 - i - 1
                result[start + first : start + columns.stop] = d[i - rows.start, first - columns.start :]
    return result


def _tree(of: np.ndarray, method: str) -> np.ndarray:
    """The merges of a linkage, as SciPy writes them: (M - 1, 4)."""
    try:
        import fastcluster
    except ImportError:
        from scipy.cluster.hierarchy import linkage

        return linkage(of, method)
    if of.ndim == 2:
        return fastcluster.linkage_vector(of, method)
    return fastcluster.linkage(of, method, preserve_input=False)
