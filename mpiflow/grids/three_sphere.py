"""Ricci flow on S^3 of metrics that rotations of S^2 leave alone (HR 2.39)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.grids import zonal
from mpiflow.grids.round import Round
from mpiflow.grids.space import Keys


class ThreeSphere(Round):
    """[manifold] family = "three-sphere": S^3, by metrics that rotations of S^2 leave alone.

    w (d theta^2 + sin^2 theta d Omega^2), w (1, n) float64 at Chebyshev points of xi = cos theta. Every rotationally
    symmetric metric is of this form at some theta, and the flow with the vector field V = B sin theta d_theta keeps it
    so: with w = e^(2 u) and q = 1 - xi^2, u' = -K_rad - K_tan + B (xi - q u_xi), B_xi = e^(-2 u) (u_xixi - u_xi^2). (A
    free metric d theta^2 chi^2 + psi^2 d Omega^2 is unstable at the poles.) B has mean 0.
    """

    name = "three-sphere"
    dimension = 3
    harmonics = zonal.three_sphere

    class Keys(Keys):
        """Keys of [manifold] beside family = "three-sphere"."""

        points: Annotated[int, Field(ge=4, le=256, description="32 are enough for smooth metrics")] = 32
        """Points in cos theta."""
        radius: Annotated[float, Field(gt=0, le=1e6)] = 1.0
        """Of the round sphere, or of one with an amplitude."""
        amplitude: Annotated[float, Field(gt=-10, lt=1)] = 0.0
        """w = radius^2 (1 - amplitude sin^2 theta): 0 is round, towards 1 a neck at the equator. e.g. 0.5"""

    def __init__(self, keys: Keys):
        super().__init__(keys)
        self._integral = zonal.integral(self.round)

    def start(self) -> np.ndarray:
        """w of the keys: (1, n)."""
        return (self.keys.radius**2 * (1 - self.keys.amplitude * (1 - self.round.xi**2)))[None]

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton") -> np.ndarray:
        """dw/dt: (1, n)."""
        radial, tangential, slope, twist = self.curvatures(u)
        field = self._integral @ self.round.coefficients(twist)
        xi = self.round.xi
        velocity = field * (xi - (1 - xi**2) * slope) - radial - tangential
        return self.smoothed(2 * u[0] * velocity, width)[None]

    def curvatures(self, u: np.ndarray) -> tuple[np.ndarray, ...]:
        """K_rad of planes through the radius, K_tan of those along the spheres, the slope of log w / 2, B_xi: (n,) each."""
        xi, f = self.round.xi, np.log(u[0]) / 2
        q, slope = 1 - xi**2, self.round.slope(f)
        second = self.round.slope(slope)
        radial = (1 - q * second + 2 * xi * slope) / u[0]
        tangential = (1 + 2 * xi * slope - q * slope**2) / u[0]
        return radial, tangential, slope, (second - slope**2) / u[0]

    def scalar(self, u: np.ndarray) -> np.ndarray:
        """R = 4 K_rad + 2 K_tan: (n,)."""
        radial, tangential, *_ = self.curvatures(u)
        return 4 * radial + 2 * tangential

    def form(self, u: np.ndarray) -> np.ndarray:
        """Weights of the volume: (n,)."""
        return 4 * np.pi * self.round.weight * u[0] ** 1.5

    def exact(self, t: float) -> np.ndarray | None:
        """(1, n) at time t of the local flow of a round sphere: radius^2 - 4 t."""
        return None if self.keys.amplitude else np.full((1, *self.shape), self.keys.radius**2 - 4 * t)
