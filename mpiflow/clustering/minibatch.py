"""Agglomerative clustering of one mini-batch (HR 3.1).

fastcluster is loaded where it is called: it brings much of SciPy, and a run of one cluster has no use for it. Where there is
none (it has no wheel for Python 3.14), SciPy gives the same labels, and `ward` too takes 16 bytes a pair of points then.
"""

from __future__ import annotations

import numpy as np

from mpiflow.clustering import chordal
from mpiflow.clustering.distances import Tile, factors, tiles
from mpiflow.clustering.partition import cut
from mpiflow.geometry.projective import embedding


def cluster_batch(z: np.ndarray, count: int, linkage: str = "average") -> np.ndarray:
    """Clusters of a mini-batch, numbered by their lowest member.

    z: (M, n+1) complex, count <= M. linkage: a key of LINKAGES. Returns (M,) int32.
    `average` and `complete` take 16 bytes a pair of points, `ward` and `chordal` O(M).
    """
    return LINKAGES[linkage](z, count)


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


def _on_distances(method: str):
    def linkage(z: np.ndarray, count: int) -> np.ndarray:
        if len(z) == 1:
            return np.zeros(1, np.int32)
        return cut(_tree(condensed_distances(z), method), len(z), count)

    return linkage


def _ward(z: np.ndarray, count: int) -> np.ndarray:
    if len(z) == 1:
        return np.zeros(1, np.int32)
    return cut(_tree(embedding(z), "ward"), len(z), count)


def _tree(of: np.ndarray, method: str) -> np.ndarray:
    """The merges of a linkage, as SciPy writes them: (M - 1, 4). of: condensed distances, or points (M, k) of `ward`."""
    try:
        import fastcluster
    except ImportError:
        from scipy.cluster.hierarchy import linkage

        return linkage(of, method)
    if of.ndim == 2:
        return fastcluster.linkage_vector(of, method)
    return fastcluster.linkage(of, method, preserve_input=False)


#: average, complete: on Fubini-Study distances. ward: on the embedding P(z). chordal: average linkage on mean sin^2 d,
#: which is another dissimilarity than the distance.
LINKAGES = {
    "average": _on_distances("average"),
    "complete": _on_distances("complete"),
    "ward": _ward,
    "chordal": chordal.linkage,
}
