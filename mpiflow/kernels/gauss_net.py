"""The Gauss-net, of exponential units normalised point by point: its NTK is a Gaussian, too (HR 2.31 - 2.37)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from mpiflow.kernels.drawn import Drawn


class GaussNet(Drawn):
    """[kernel] name = "gauss-net": s(x) = exp(w.x + b - b_std^2 - w_std^2 |x|^2 / m), w and b normal.

    Of variances w_std^2 / m and b_std^2: K(x, x') = exp(-w_std^2 |x - x'|^2 / 2m). One unit has the relative variance
    exp(w_std^2 |x + x'|^2 / m + 4 b_std^2) - 1, so that finite networks are refused where w_std |x| / sqrt(m) may be above 1.
    """

    w_std: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.0
    """Spread of the weights, times the root of the fan-in."""
    b_std: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Spread of the biases, which finite networks alone feel."""

    name = "gauss-net"
    space = {"flow.dt": [0.003, 3.0], "kernel.w_std": [0.3, 1.4]} | Drawn.space

    def check(self, config) -> None:
        """Raises ValueError where units are drawn whose sum tells nothing."""
        super().check(config)
        # Of a patch-scaled point no coordinate is above 1: |x|^2 <= n+1 and m = 2(n+1).
        largest = self.w_std / 2**0.5
        if self.units and largest > 1:
            raise ValueError(
                f"kernel.w_std = {self.w_std:g}: w_std |x| / sqrt(m) reaches {largest:.3g}, and beyond 1 rare draws make up "
                "the sum over units; take w_std <= 1.414, or leave out kernel.units for the limit"
            )

    def rate(self, m: int) -> float:
        """Of the limit, for m reals."""
        return self.w_std**2 / (2 * m)

    def variance(self, x: np.ndarray) -> np.ndarray:
        """Of one unit of K, between all pairs of points (N, n+1): (N, N)."""
        plus = (np.abs(x[:, None] + x) ** 2).sum(-1) / (2 * x.shape[1])
        return self.tile(x, x) ** 2 * (np.exp(self.w_std**2 * plus + 4 * self.b_std**2) - 1)

    def values(self, x, weights, biases, xp=np):
        """s_i(x): (N, m) to (N, units) float64."""
        m = x.shape[1]
        shift = self.b_std**2 + (self.w_std**2 / m) * (x * x).sum(1)
        normal = xp.asarray(ndtri(np.asarray(biases))) if self.b_std else 0.0
        return xp.exp(x @ (self.w_std / m**0.5 * weights).T + self.b_std * normal - shift[:, None])
