"""The paper's merge (HR 3.1): seeds of the first mini-batch take the nearest cluster of each further one in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpiflow.clustering.distances import sums_between_clusters
from mpiflow.clustering.merges.merge import Merge

if TYPE_CHECKING:
    from mpiflow.clustering.batches import Batches


class Greedy(Merge):
    """clusters.merge = "greedy": seeds take the nearest cluster in turn, the paper's.

    Exact mean distances to the members of the seeds, in streamed tiles: N M distances in all, every rank those of its own
    batches.
    """

    name = "greedy"

    def merge(self, batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """One level; collective."""
        seeds = batches.everywhere(z, 0)
        seed_label = batches.everywhere(label, 0)
        received = 0 if 0 in batches.mine else seeds.nbytes + seed_label.nbytes
        merged = label.copy()
        for b in batches.mine:
            if b > 0:
                rows = batches.rows(b)
                sums = sums_between_clusters(z[rows], label[rows], seeds, seed_label, count)
                sizes = (np.bincount(each, minlength=count) for each in (label[rows], seed_label))
                merged[rows] = pair(sums / np.outer(*sizes))[label[rows]]
        return merged, np.array([received])


def pair(mean: np.ndarray) -> np.ndarray:
    """The seed that each cluster joins: seed by seed, the nearest cluster not yet taken.

    mean: (C, C) float64, mean distances of clusters (axis 0) to seeds (axis 1). Returns (C,) int32.
    """
    mean = mean.copy()
    seed_of = np.empty(len(mean), np.int32)
    for seed in range(len(mean)):
        taken = mean[:, seed].argmin()
        seed_of[taken] = seed
        mean[taken] = np.inf
    return seed_of
