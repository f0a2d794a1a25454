"""What is measured of a metric over all points of all ranks (theory 3)."""

from __future__ import annotations

import numpy as np

from mpiflow import losses
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import Points


def least_eigenvalue(g: np.ndarray) -> np.ndarray:
    """Smallest eigenvalue of Hermitian matrices: (N, d, d) to (N,)."""
    return np.linalg.eigvalsh(g)[:, 0] if len(g) else np.zeros(0)


def kappa_of(layout: Layout, points: Points, g: np.ndarray) -> float:
    """The w-mean of det g / |Omega|^2, for which eta has w-mean 1; collective."""
    ratio = losses.determinant(g).astype(np.float64) / points.omega2
    return mean(layout, points, ratio)


def mean(layout: Layout, points: Points, value: np.ndarray) -> float:
    """The w-mean of a value at the own points (n_r,): its average over X by the measure of Omega; collective."""
    weight, weighted = layout.sum(np.stack([points.weight, points.weight * value], axis=1))
    return float(weighted / weight)


def sigma(layout: Layout, points: Points, g: np.ndarray) -> float:
    """The sigma measure (HR B.11) with the kappa of the evaluated set; collective."""
    deviation = np.abs(1 - losses.eta(g, points.omega2, kappa_of(layout, points, g)).astype(np.float64))
    return mean(layout, points, deviation)


def gain(reference: float, value: float) -> float:
    """sigma(g_FS) / sigma(g); without bound (infinite) where sigma(g) is 0 to the last bit, and 1 where both are."""
    if value:
        return reference / value
    return float("inf") if reference else 1.0
