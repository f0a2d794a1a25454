"""The Delta kernel: a point takes the update of its nearest train point (HR 3.2.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow.geometry.fubini_study import distance
from mpiflow.kernels.near import distances


@dataclass(frozen=True)
class Delta:
    """K(x, x') = 1 if x' is the source nearest to x (the lowest index on ties), else 0 (HR 3.2.3)."""

    name = "delta"
    symmetric = False

    def tile(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K of all pairs, y being all the sources. x: (N, n+1), y: (M, n+1). Returns (N, M) float64."""
        return np.eye(len(y))[[self._nearest(row, y) for row in x]] if len(x) else np.empty((0, len(y)))

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """K(x, x) = 1. x: (N, n+1). Returns (N,) float64."""
        return np.ones(len(x))

    @property
    def bandwidth(self) -> float:
        """0: no source but the nearest is felt, and a point belongs to the cluster of its nearest."""
        return 0.0

    def _nearest(self, point: np.ndarray, y: np.ndarray) -> int:
        # Distances from a Gram product decide all but near ties; those are decided by the wedge form.
        angle = distances(point[None], y)[0]
        close = np.flatnonzero(angle <= angle.min() + 1e-10)
        return close[np.argmin(distance(point, y[close]))]
