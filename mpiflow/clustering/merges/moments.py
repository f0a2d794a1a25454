"""Merge by cluster means of P(z): a level of the tree exchanges C ((n+1)^2 + 1) numbers, whatever the clusters hold.

The mean of sin^2 d over the pairs of two clusters is 1 - <mu_A, mu_B>, exactly; this is another dissimilarity than the
mean of d, and its clusters differ a little from those of `assignment`.
"""

from __future__ import annotations

import numpy as np

from mpiflow.clustering.batches import Batches, owner
from mpiflow.clustering.merges.merge import Merge
from mpiflow.clustering.tree import levels, match
from mpiflow.geometry.projective import embedding


class Moments(Merge):
    """clusters.merge = "moments": matchings of least mean sin^2, from means alone, along a tree."""

    name = "moments"

    def merge(self, batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Up the tree and down again; collective."""
        tree = levels(batches.count)
        received = np.zeros(len(tree), np.int64)
        leaves = {b: moments(z[batches.rows(b)], label[batches.rows(b)], count) for b in batches.mine}
        matches = _up(batches, tree, leaves, (count, z.shape[1] ** 2 + 1), received)
        final = _down(batches, tree, matches, count, received)
        merged = label.copy()
        for b in batches.mine:
            merged[batches.rows(b)] = final[b][label[batches.rows(b)]]
        return merged, received


def planned_bytes(batches: int, ranks: int, count: int, coordinates: int) -> np.ndarray:
    """What each rank will receive at each level, known without any point: (ranks, levels) int64.

    At most one set of moments and one list of numbers a level: the joins of a level that a rank shares with others are
    those that hold the ends of its range of batches.
    """
    tree = levels(batches)
    planned = np.zeros((ranks, len(tree)), np.int64)
    for level, joins in enumerate(tree):
        for join in joins:
            here, there = owner(batches, ranks, join.left), owner(batches, ranks, join.right)
            if here != there:
                planned[here, level] += 8 * count * (coordinates**2 + 1)
                planned[there, level] += 4 * count
    return planned


def moments(z: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """Size and mean of P(z) of each cluster: (C, 1 + (n+1)^2) float64. Every cluster must have a member."""
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(count))
    size = np.bincount(label, minlength=count)[:, None]
    return np.hstack([size, np.add.reduceat(embedding(z[order]), starts, axis=0) / size])


def mean_sin2(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean of sin^2 d between the clusters of two sets of moments: (C, C) float64."""
    return 1.0 - one[:, 1:] @ other[:, 1:].T


def union(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Moments of the unions of clusters with equal numbers."""
    size = one[:, :1] + other[:, :1]
    return np.hstack([size, (one[:, :1] * one[:, 1:] + other[:, :1] * other[:, 1:]) / size])


def _up(batches: Batches, tree, held: dict, shape: tuple[int, int], received: np.ndarray) -> dict[int, np.ndarray]:
    """Match the two sides of every join, at the rank of its first batch; returns matches by Join.right."""
    comm, matches, sent = batches.comm, {}, []
    for level, joins in enumerate(tree):
        arriving = {}
        for join in joins:
            here, there = batches.owner(join.left), batches.owner(join.right)
            if there == comm.rank != here:
                sent.append(comm.post(held.pop(join.right), here, join.right))
            if here == comm.rank != there:
                arriving[join] = comm.expect(shape, np.float64, there, join.right)
        received[level] += len(arriving) * 8 * shape[0] * shape[1]
        at_home = [join for join in joins if batches.owner(join.left) == comm.rank]
        # Those on this rank first, while the others are on their way.
        for join in sorted(at_home, key=lambda join: join in arriving):
            other = arriving[join]() if join in arriving else held.pop(join.right)
            matches[join.right] = match(mean_sin2(held[join.left], other))
            held[join.left] = union(held[join.left], other[np.argsort(matches[join.right])])
    for wait in sent:
        wait()
    return matches


def _down(batches: Batches, tree, matches: dict, count: int, received: np.ndarray) -> dict[int, np.ndarray]:
    """Final number of each cluster of this rank's batches: (C,) int32 each."""
    comm, sent = batches.comm, []
    final = {0: np.arange(count, dtype=np.int32)} if 0 in batches.mine else {}
    for level, joins in reversed(list(enumerate(tree))):
        for join in joins:
            here, there = batches.owner(join.left), batches.owner(join.right)
            if here == comm.rank:
                final[join.right] = final[join.left][matches[join.right]]
                if there != here:
                    sent.append(comm.post(final.pop(join.right), there, join.right))
            elif there == comm.rank:
                final[join.right] = comm.expect((count,), np.int32, here, join.right)()
                received[level] += final[join.right].nbytes
    for wait in sent:
        wait()
    return final
