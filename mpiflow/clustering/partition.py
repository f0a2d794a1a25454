"""Labels of a partition: cut from a sequence of merges, numbered by their lowest member."""

from __future__ import annotations

import numpy as np


def canonical(label: np.ndarray) -> np.ndarray:
    """The same partition, its clusters numbered 0, 1, ... by their lowest member: (N,) int to (N,) int32."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return rank[inverse]


def components(pairs: np.ndarray, total: int) -> np.ndarray:
    """Connected components of the graph on `total` nodes with edges `pairs` (E, 2): (total,) int labels."""
    # Loaded where it is called, as all that only clusters ask for.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    return connected_components(graph, directed=False)[1]


def cut(tree: np.ndarray, points: int, count: int) -> np.ndarray:
    """Labels after the first points - count merges of a linkage tree.

    tree: (points - 1, >= 2), the nodes that merge k joins into node points + k (as SciPy). Returns (points,) int32.
    """
    merges = points - count
    joined = tree[:merges, :2].astype(np.int64)
    made = points + np.arange(merges)
    pairs = np.concatenate([np.stack([joined[:, side], made], axis=1) for side in (0, 1)])
    return canonical(components(pairs, points + merges)[:points])
