"""The paper's merge (HR 3.1): seeds of the first mini-batch take the nearest cluster of each further one in turn."""

from __future__ import annotations

import numpy as np

from mpiflow.clustering.batches import Batches
from mpiflow.clustering.distances import sums_between_clusters


def merge(batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Final labels from those within each mini-batch, and the bytes this rank received at each level (here one).

    z: (n_r, n+1) complex, label: (n_r,) int32, those of this rank's batches. Exact mean distances to the members of the
    seeds, in streamed tiles: N M distances in all, every rank those of its own batches. Collective.
    """
    seeds = batches.everywhere(z, 0)
    seed_label = batches.everywhere(label, 0)
    received = 0 if 0 in batches.mine else seeds.nbytes + seed_label.nbytes
    merged = label.copy()
    for b in batches.mine:
        if b > 0:
            rows = batches.rows(b)
            sums = sums_between_clusters(z[rows], label[rows], seeds, seed_label, count)
            mean = sums / np.outer(np.bincount(label[rows], minlength=count), np.bincount(seed_label, minlength=count))
            merged[rows] = pair(mean)[label[rows]]
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
