"""Ricci flow on S^2 of metrics v times the round one, v a function of xi = cos theta (HR 2.39)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from mpiflow.grids import zonal
from mpiflow.grids.round import Round
from mpiflow.grids.space import Keys


class Sphere(Round):
    """[manifold] family = "sphere": S^2, by functions of one angle times the round metric.

    v (1, n) float64 at Legendre points. dv/dt = N_s (Lap log v - 2), since Ric = R g / 2. A conformal factor stays one
    under the flow itself: the gauge is Hamilton's, and there is no other.
    """

    name = "sphere"
    dimension = 2
    harmonics = zonal.two_sphere

    class Keys(Keys):
        """Keys of [manifold] beside family = "sphere"."""

        points: Annotated[int, Field(ge=4, le=256, description="24 are enough for smooth metrics")] = 24
        """Legendre points in cos theta."""
        radius: Annotated[float, Field(gt=0, le=1e6)] = 1.0
        """Of the round sphere, or of one with an amplitude."""
        amplitude: Annotated[float, Field(gt=-1, lt=1)] = 0.0
        """v = radius^2 (1 + amplitude P_2(cos theta)); 0 is round. e.g. 0.4"""
        rosenau: Annotated[float, Field(gt=0, le=10)] | None = None
        """In place of these: Rosenau's solution, so long before it is a point. [time] e.g. 1.5"""

        @model_validator(mode="after")
        def _alone(self):
            if self.rosenau and (self.radius, self.amplitude) != (1.0, 0.0):
                raise ValueError(
                    f"rosenau = {self.rosenau:g}: starts from that solution, and radius = {self.radius:g}, amplitude = "
                    f"{self.amplitude:g} are of another start; remove it or them"
                )
            return self

    def start(self) -> np.ndarray:
        """v of the keys: (1, n)."""
        if self.keys.rosenau:
            return self.exact(0.0)
        second = 1.5 * self.round.xi**2 - 0.5
        return (self.keys.radius**2 * (1 + self.keys.amplitude * second))[None]

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton") -> np.ndarray:
        """dv/dt: (1, n)."""
        return self.smoothed(self.round.laplace(np.log(u[0])) - 2, width)[None]

    def scalar(self, u: np.ndarray) -> np.ndarray:
        """R: (n,)."""
        return (2 - self.round.laplace(np.log(u[0]))) / u[0]

    def ricci_tensor(self, u: np.ndarray) -> np.ndarray:
        """R g / 2: (1, n)."""
        return self.scalar(u) * u / 2

    def laplacian(self, u: np.ndarray, field: np.ndarray) -> np.ndarray:
        """Of v times the round metric: (n,) to (n,)."""
        return self.round.laplace(field) / u[0]

    def form(self, u: np.ndarray) -> np.ndarray:
        """Weights of the area: (n,)."""
        return 2 * np.pi * self.round.weight * u[0]

    def exact(self, t: float) -> np.ndarray | None:
        """(1, n) at time t: round, or Rosenau's with the time T left, 4 sinh T / (1 + xi^2 + (1 - xi^2) cosh T)."""
        square, left = self.round.xi**2, self.keys.rosenau
        if left:
            left = left - t
            return (4 * np.sinh(left) / (1 + square + (1 - square) * np.cosh(left)))[None]
        if self.keys.amplitude:
            return None
        return np.full((1, *self.shape), self.keys.radius**2 - 2 * t)
