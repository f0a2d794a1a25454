"""From points to clusters: each mini-batch for itself, then all of them together (HR 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import clock
from mpiflow.clustering import LINKAGES, MERGES
from mpiflow.clustering.batches import Batches
from mpiflow.clustering.linkages import Linkage
from mpiflow.clustering.merges import Merge
from mpiflow.comm import Comm
from mpiflow.errors import InputError


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
    linkage: Linkage | str = "average",
    merge: Merge | str = "greedy",
) -> Clustering:
    """Cluster `total` points in `count` clusters, the same on any number of ranks. Collective.

    z: (n_r, n+1) complex, the points of the batches shards.split(n_batches, comm.size, comm.rank), the first of which
    has the global number `first`. linkage, merge: as they are, or by the names of ours.
    Raises InputError for a count or batch that cannot be, and where a user's linkage or merge gives no clusters.
    """
    _check(total, count, batch)
    linkage, merge, batches = LINKAGES.made(linkage), MERGES.made(merge), Batches(comm, total, batch)
    label = np.zeros(len(z), np.int32)
    if count == 1:
        # Known without a distance: the memory of a linkage would be the largest of the whole run.
        return Clustering(label, label, np.zeros(0, np.int64))
    if not merge.at_once:
        with clock.part("cluster"):
            for b in batches.mine:
                label[batches.rows(b)] = linkage.clusters(z[batches.rows(b)], count)
    with clock.part("merge"):
        merged, received = merge.clusters(batches, z, label, count)
    return Clustering(merged, merged if merge.at_once else label, received)


def _check(total: int, count: int, batch: int) -> None:
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
