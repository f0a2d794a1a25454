"""Clusters of points: mini-batches, then a merge across batches and ranks (HR 3.1, theory 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import clock
from mpiflow.clustering import assignment, greedy, kmeans, moments
from mpiflow.clustering.batches import Batches
from mpiflow.clustering.minibatch import LINKAGES, cluster_batch
from mpiflow.comm import Comm
from mpiflow.errors import InputError

#: How clusters of mini-batches become clusters of the whole; k-means makes them of all points at once.
MERGES = {"greedy": greedy.merge, "assignment": assignment.merge, "moments": moments.merge}
METHODS = (*MERGES, "kmeans")


@dataclass(frozen=True)
class Clustering:
    """Clusters of this rank's points.

    label: (n_r,) int32, final cluster. batch_label: (n_r,) int32, cluster within the mini-batch before the merge.
    exchange_bytes: (levels,) int64, bytes that this rank received at each level of the merge (k-means: each iteration).
    """

    label: np.ndarray
    batch_label: np.ndarray
    exchange_bytes: np.ndarray


def cluster(
    comm: Comm,
    z: np.ndarray,
    first: int,
    total: int,
    *,
    count: int,
    batch: int,
    linkage: str = "average",
    merge: str = "greedy",
) -> Clustering:
    """Cluster `total` points in `count` clusters, the same on any number of ranks. Collective.

    z: (n_r, n+1) complex, the points of the batches shards.split(n_batches, comm.size, comm.rank), the first of which
    has the global number `first`. linkage: a key of LINKAGES; merge: one of METHODS.
    Raises InputError for a count, batch, linkage or merge that cannot be.
    """
    _check(total, count, batch, linkage, merge)
    batches = Batches(comm, total, batch)
    if count == 1:
        # Known without a distance: the memory of a linkage would be the largest of the whole run.
        whole = np.zeros(len(z), np.int32)
        return Clustering(whole, whole, np.zeros(0, np.int64))
    if merge == "kmeans":
        label, received = kmeans.partition(batches, z, count)
        return Clustering(label, label, received)
    label = np.empty(len(z), np.int32)
    with clock.part("cluster"):
        for b in batches.mine:
            rows = batches.rows(b)
            label[rows] = cluster_batch(z[rows], count, linkage)
    with clock.part("merge"):
        merged, received = MERGES[merge](batches, z, label, count)
    return Clustering(merged, label, received)


def _check(total: int, count: int, batch: int, linkage: str, merge: str) -> None:
    for key, value, valid in (("linkage", linkage, LINKAGES), ("merge", merge, METHODS)):
        if value not in valid:
            raise InputError(f"clusters.{key} = {value!r}: must be one of {', '.join(valid)}")
    if count < 1:
        raise InputError(f"clusters.count = {count}: must be at least 1")
    if batch < 1:
        raise InputError(f"clusters.batch = {batch}: must be at least 1; 10000 is usual")
    if count > min(batch, total):
        raise InputError(
            f"clusters.count = {count}: more clusters than the {min(batch, total)} points of a mini-batch; "
            "lower clusters.count or raise clusters.batch"
        )
    last = total % batch
    if 0 < last < count:
        raise InputError(
            f"clusters.batch = {batch}: leaves a last mini-batch of {last} points for {count} clusters; "
            f"choose one that divides the {total} points, or leaves at least {count} of them"
        )
