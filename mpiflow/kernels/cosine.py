"""The cosine network: its NTK is a Gaussian of Euclidean distance (HR 2.31 - 2.37)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.kernels.drawn import Drawn


class Cosine(Drawn):
    """[kernel] name = "cosine": s(x) = sqrt(2) cos(w.x + b), w normal of deviation w_std, b uniform in (-pi, pi).

    K(x, x') = exp(-w_std^2 |x - x'|^2 / 2), a Gaussian of width 1 / w_std; HR's A^2 / 2 is 1 here, a factor of flow.dt.
    """

    w_std: Annotated[float, Field(ge=1e-3, le=1e3)] = 2.5
    """Spread of the weights; 1 / w_std is the width of the kernel. [1 / largest coordinate]"""

    name = "cosine"
    space = {"flow.dt": [0.003, 3.0], "kernel.w_std": [1.0, 10.0]} | Drawn.space

    def rate(self, m: int) -> float:
        """Of the limit, for any number of reals."""
        return self.w_std**2 / 2

    def variance(self, x: np.ndarray) -> np.ndarray:
        """Of one unit of K, between all pairs of points (N, n+1): (N, N), by the squares of distances."""
        t = -np.log(self.tile(x, x))
        return (1 + np.exp(-4 * t)) / 2 - np.exp(-2 * t) + 0.5

    def values(self, x, weights, biases, xp=np):
        """s_i(x): (N, m) to (N, units) float64."""
        return 2**0.5 * xp.cos(x @ (self.w_std * weights).T + 2 * np.pi * biases)
