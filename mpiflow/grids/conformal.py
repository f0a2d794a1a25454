"""Ricci flow on T^2 of metrics v (dx^2 + dy^2): the smallest non-local flow (HR 2.39)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import fft

from mpiflow.grids import rk4
from mpiflow.grids.space import Keys, Space


class ConformalTorus(Space):
    """[manifold] family = "conformal-torus": T^2, by functions times the flat metric.

    v (1, n, n) float64 on [0, 2 pi)^2, dv/dt = N_s Lap log v. At a constant v a wave cos(k x) decays at the rate k^2
    e^(-s^2 k^2 / 2) / v.
    """

    name = "conformal-torus"
    dimension = 2

    class Keys(Keys):
        """Keys of [manifold] beside family = "conformal-torus"."""

        points: Annotated[int, Field(ge=4, le=4096)] = 48
        """Along each axis."""
        height: Annotated[float, Field(gt=-30, lt=30)] = 1.0
        """v = exp(height h(1) - depth h(dimple)), h(w) the periodic bump exp((cos x + cos y - 2) / w^2)."""
        depth: Annotated[float, Field(gt=-30, lt=30)] = 0.0
        """Of a dimple on top of the hill."""
        dimple: Annotated[float, Field(gt=0, le=10)] = 0.3
        """Its width. [radian]"""

    def __init__(self, keys: Keys):
        super().__init__(keys)
        self.shape = (keys.points, keys.points)
        wave = np.minimum(np.arange(keys.points), keys.points - np.arange(keys.points))
        self._square = 1.0 * wave[:, None] ** 2 + wave[: keys.points // 2 + 1] ** 2

    @property
    def spacing(self) -> float:
        """The distance of neighbours."""
        return 2 * np.pi / self.keys.points

    def bump(self, width: float) -> np.ndarray:
        """exp((cos x + cos y - 2) / width^2), of height 1 at the origin: (n, n)."""
        x = np.cos(2 * np.pi * np.arange(self.keys.points) / self.keys.points)
        return np.exp((x[:, None] + x - 2) / width**2)

    def start(self) -> np.ndarray:
        """v of the keys: (1, n, n)."""
        return np.exp(self.keys.height * self.bump(1.0) - self.keys.depth * self.bump(self.keys.dimple))[None]

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton") -> np.ndarray:
        """dv/dt: (1, n, n)."""
        return self._multiplied(np.log(u[0]), -self._square * self._heat(width))[None]

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s: (n, n) to (n, n)."""
        return self._multiplied(field, self._heat(width)) if width else field

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest stable step of RK4 at u."""
        return rk4.REACH * float(u.min() / (self._square * self._heat(width)).max())

    def scalar(self, u: np.ndarray) -> np.ndarray:
        """R: (n, n)."""
        return -self.ricci(u)[0] / u[0]

    def ricci_tensor(self, u: np.ndarray) -> np.ndarray:
        """R g / 2: (1, n, n)."""
        return self.scalar(u) * u / 2

    def laplacian(self, u: np.ndarray, field: np.ndarray) -> np.ndarray:
        """Of v times the flat metric: (n, n) to (n, n)."""
        return self._multiplied(field, -self._square) / u[0]

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """volume, integrals of R (0) and R^2, and the greatest |R|."""
        curvature, area = self.scalar(u), (2 * np.pi / self.keys.points) ** 2 * u[0]
        return {
            "volume": float(area.sum()),
            "integral_R": float((area * curvature).sum()),
            "integral_R2": float((area * curvature**2).sum()),
            "greatest_R": float(np.abs(curvature).max()),
        }

    def _heat(self, width: float) -> np.ndarray:
        return np.exp(-(width**2) * self._square / 2)

    def _multiplied(self, field: np.ndarray, factor: np.ndarray) -> np.ndarray:
        return fft.irfftn(fft.rfftn(field) * factor, s=self.shape)
