"""The Delta kernel: a point takes the update of its nearest train point (HR 3.2.3)."""

from __future__ import annotations

import numpy as np

from mpiflow.geometry.projective import distance
from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.near import distances


class Delta(Kernel):
    """[kernel] name = "delta": K(x, x') = 1 if x' is the source nearest to x (the lowest index on ties), else 0 (HR 3.2.3)."""

    name = "delta"
    nearest = True
    # Row sums are 1, so that its normalisations are one.
    space = {"flow.dt": [0.001, 0.1], "flow.normalisation": ["row"], "flow.clip": [1.0, 100.0]}

    def tile(self, x: np.ndarray, y: np.ndarray, xp=np) -> np.ndarray:
        """K of all pairs, y being all the sources. x: (N, n+1), y: (M, n+1). Returns (N, M) float64."""
        return xp.eye(len(y))[[self._nearest(row, y) for row in x]] if len(x) else xp.empty((0, len(y)))

    def reach(self, tolerance: float) -> float:
        """0: no source but the nearest is felt, and a point belongs to the cluster of its nearest."""
        return 0.0

    def _nearest(self, point: np.ndarray, y: np.ndarray) -> int:
        # Distances from a Gram product decide all but near ties; those are decided by the wedge form.
        angle = distances(point[None], y)[0]
        close = np.flatnonzero(angle <= angle.min() + 1e-10)
        return close[np.argmin(distance(point, y[close]))]
