"""Merge by exact mean distances: along a fixed binary tree, the best one-to-one matching of clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.clustering.distances import sums_between_clusters
from mpiflow.clustering.merges.merge import Merge
from mpiflow.clustering.tree import Join, levels, match

if TYPE_CHECKING:
    from mpiflow.clustering.batches import Batches


class Assignment(Merge):
    """clusters.merge = "assignment": the matchings of least mean distance, along a tree of batches.

    N^2 / 2 distances in all, streamed; of other ranks' points one mini-batch is held and one is on its way.
    """

    name = "assignment"

    def merge(self, batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Level by level; collective."""
        comm, tree = batches.comm, levels(batches.count)
        own = [np.bincount(label[batches.rows(b)], minlength=count) for b in batches.mine]
        size = comm.allgather_rows(np.array(own, np.int64).reshape(-1, count))
        received = np.zeros(len(tree), np.int64)
        for level, joins in enumerate(tree):
            partial, received[level] = _partial_sums(batches, joins, z, label, count)
            sums = comm.allgather_rows(partial)
            received[level] += sums.nbytes - partial.nbytes
            label = label.copy()
            for join in joins:
                left, right = slice(join.left, join.right), slice(join.right, join.stop)
                mean = sums[join.left : join.stop].sum(0) / np.outer(size[left].sum(0), size[right].sum(0))
                joined = match(mean)
                size[right] = size[right][:, np.argsort(joined)]
                for b in range(join.right, join.stop):
                    if b in batches.mine:
                        label[batches.rows(b)] = joined[label[batches.rows(b)]]
        return label, received


def _partial_sums(
    batches: Batches, joins: list[Join], z: np.ndarray, label: np.ndarray, count: int
) -> tuple[np.ndarray, int]:
    """Sums of distances, left clusters x right clusters, of each own batch to those it meets; and the bytes received.

    Returns (own batches, C, C) float64: the bits of each depend on the batches that meet, not on who owns them.
    """
    partial = np.zeros((len(batches.mine), count, count))
    received = 0
    for join in joins:
        for b, other_z, other_label in _arrivals(batches, join, z, label):
            if b not in batches.mine:
                received += other_z.nbytes + other_label.nbytes
            for k, p in enumerate(batches.mine):
                if b in join.meets(p):
                    mine, other = (z[batches.rows(p)], label[batches.rows(p)]), (other_z, other_label)
                    left, right = (mine, other) if p < b else (other, mine)
                    partial[k] += sums_between_clusters(*left, *right, count)
    return partial, received


def _arrivals(
    batches: Batches, join: Join, z: np.ndarray, label: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The batches that own ones meet, in ascending order; the next one travels while the last one is worked on."""
    comm = batches.comm
    wanted = {rank: _wanted(batches, join, rank) for rank in range(comm.size)}
    sent = []
    for b in batches.mine:
        for rank in range(comm.size):
            if rank != comm.rank and b in wanted[rank]:
                sent.append(comm.post(z[batches.rows(b)], rank, 2 * b))
                sent.append(comm.post(label[batches.rows(b)], rank, 2 * b + 1))

    def begin(b: int):
        if b in batches.mine:
            return lambda: (z[batches.rows(b)], label[batches.rows(b)])
        size, source = batches.size(b), batches.owner(b)
        arriving = comm.expect((size, z.shape[1]), z.dtype, source, 2 * b)
        with_label = comm.expect((size,), label.dtype, source, 2 * b + 1)
        return lambda: (arriving(), with_label())

    queue = sorted(wanted[comm.rank])
    coming = begin(queue[0]) if queue else None
    for place, b in enumerate(queue):
        here = coming()
        coming = begin(queue[place + 1]) if place + 1 < len(queue) else None
        yield b, *here
    for wait in sent:
        wait()


def _wanted(batches: Batches, join: Join, rank: int) -> set[int]:
    """Batches whose members a rank needs at a join."""
    return {other for b in batches.of(rank) for other in join.meets(b)}
