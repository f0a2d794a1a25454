"""Ricci flow on S^3 of metrics that rotations of S^2 leave alone (HR 2.39)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.grids import rk4, zonal
from mpiflow.grids.space import Keys, Space


class ThreeSphere(Space):
    """[manifold] family = "three-sphere": S^3, by metrics that rotations of S^2 leave alone.

    w (d theta^2 + sin^2 theta d Omega^2), w (1, n) float64 at Chebyshev points of xi = cos theta. Every rotationally
    symmetric metric is of this form at some theta, and the flow with the vector field V = B sin theta d_theta keeps it
    so: with w = e^(2 u) and q = 1 - xi^2, u' = -K_rad - K_tan + B (xi - q u_xi), B_xi = e^(-2 u) (u_xixi - u_xi^2). (A
    free metric d theta^2 chi^2 + psi^2 d Omega^2 is unstable at the poles.) B has mean 0.
    """

    name = "three-sphere"
    components = 1
    dimension = 3
    gauges = ("hamilton",)

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
        self.shape = (keys.points,)
        self.round = zonal.three_sphere(keys.points)
        self._integral = zonal.integral(self.round)

    @property
    def spacing(self) -> float:
        """The distance of neighbours, about, on the unit sphere."""
        return np.pi / self.keys.points

    def start(self) -> np.ndarray:
        """w of the keys: (1, n)."""
        return (self.keys.radius**2 * (1 - self.keys.amplitude * (1 - self.round.xi**2)))[None]

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton") -> np.ndarray:
        """dw/dt: (1, n)."""
        radial, tangential, slope, twist = self._curvatures(u)
        field = self._integral @ self.round.coefficients(twist)
        xi = self.round.xi
        velocity = field * (xi - (1 - xi**2) * slope) - radial - tangential
        return self.smoothed(2 * u[0] * velocity, width)[None]

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s on the round unit sphere: (n,) to (n,)."""
        return self.round.smoothed(field, width)

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest stable step of RK4 at u, of the terms of second order."""
        return rk4.REACH / self.round.rate(1 / u[0], width)

    def curvatures(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """K_rad of planes through the radius, K_tan of those along the spheres: (n,) each."""
        return self._curvatures(u)[:2]

    def _curvatures(self, u: np.ndarray) -> tuple[np.ndarray, ...]:
        xi, f = self.round.xi, np.log(u[0]) / 2
        q, slope = 1 - xi**2, self.round.slope(f)
        second = self.round.slope(slope)
        radial = (1 - q * second + 2 * xi * slope) / u[0]
        tangential = (1 + 2 * xi * slope - q * slope**2) / u[0]
        return radial, tangential, slope, (second - slope**2) / u[0]

    def scalar(self, u: np.ndarray) -> np.ndarray:
        """R = 4 K_rad + 2 K_tan: (n,)."""
        radial, tangential = self.curvatures(u)
        return 4 * radial + 2 * tangential

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """volume, integrals of R and R^2, the greatest |R|, and how far w is from round: (max - min) / mean."""
        curvature, volume = self.scalar(u), 4 * np.pi * self.round.weight * u[0] ** 1.5
        return {
            "volume": float(volume.sum()),
            "integral_R": float(volume @ curvature),
            "integral_R2": float(volume @ curvature**2),
            "greatest_R": float(np.abs(curvature).max()),
            "unround": float(np.ptp(u[0]) / u[0].mean()),
        }

    def exact(self, t: float) -> np.ndarray | None:
        """(1, n) at time t of the local flow of a round sphere: radius^2 - 4 t."""
        return None if self.keys.amplitude else np.full((1, *self.shape), self.keys.radius**2 - 4 * t)
