"""The Gaussian kernel in Fubini-Study distance (HR 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from mpiflow.errors import InputError
from mpiflow.geometry.fubini_study import distance
from mpiflow.kernels.near import distances

# exp(-8.5^2 / 2) = 2e-16: beyond this many widths nothing is left of a float64.
_WIDTHS = 8.5


@dataclass(frozen=True)
class Gaussian:
    """K(x, x') = exp(-d^2 / (2 width^2)), d the Fubini-Study distance (HR 3.6), width in its units."""

    width: float

    name = "gaussian"
    symmetric = True

    def __post_init__(self):
        if not (isfinite(self.width) and self.width > 0):
            raise InputError(
                f"kernel.width = {self.width}: a Gaussian needs a positive finite width, in units of the "
                "Fubini-Study distance (at most pi/2); .3 is a good start"
            )

    def tile(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K of all pairs. x: (N, n+1), y: (M, n+1) complex. Returns (N, M) float64."""
        return self.at(distances(x, y))

    def pairs(self, x: np.ndarray, y: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """K of paired points x, y (N, n+1), as if no distance were below `floor`. Returns (N,) float64."""
        return self.at(np.maximum(distance(x, y), floor))

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """K(x, x) = 1. x: (N, n+1). Returns (N,) float64."""
        return np.ones(len(x))

    @property
    def bandwidth(self) -> float | None:
        """The distance beyond which K < 2e-16; None where the whole manifold is nearer."""
        reach = _WIDTHS * self.width
        return reach if reach < np.pi / 2 else None

    def at(self, angle: np.ndarray) -> np.ndarray:
        """K at a Fubini-Study distance."""
        return np.exp(-((angle / self.width) ** 2) / 2)
