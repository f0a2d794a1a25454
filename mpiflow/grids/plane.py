"""Ricci flow on the plane of metrics p (dx^2 + dy^2) / (1 + r^2), p a function of r: the cigar and its like (HR 2.39)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.grids import zonal
from mpiflow.grids.round import Round, integrals
from mpiflow.grids.space import Keys


class Plane(Round):
    """[manifold] family = "plane": the plane, by functions of the radius times the cigar's metric.

    p (1, n) float64 at Legendre points of x = r^2 / (1 + r^2): there is no boundary. dp/dt = N_s 4 (1 - x) (Lap_2 log p
    - 1), Lap_2 f = (x (1 - x) f_x)_x, the Laplacian of the sphere that the plane and a point at infinity are; N_s is
    its heat kernel. At infinity, x = 1, p is 1 for ever: a cylinder of circumference 2 pi.
    """

    name = "plane"
    dimension = 2
    harmonics = zonal.two_sphere

    class Keys(Keys):
        """Keys of [manifold] beside family = "plane"."""

        points: Annotated[int, Field(ge=4, le=256, description="24 are enough for smooth metrics")] = 24
        """Legendre points in r^2 / (1 + r^2)."""
        amplitude: Annotated[float, Field(gt=-1, le=100)] = 0.0
        """p = 1 + amplitude / (1 + r^2) at the start: 0 is the cigar. e.g. 0.5"""

    def __init__(self, keys: Keys):
        super().__init__(keys)
        self.x = (1 + self.round.xi) / 2

    def start(self) -> np.ndarray:
        """p of the keys: (1, n)."""
        return (1 + self.keys.amplitude * (1 - self.x))[None]

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton") -> np.ndarray:
        """dp/dt: (1, n)."""
        return self.smoothed(4 * (1 - self.x) * (self.round.laplace(np.log(u[0])) - 1), width)[None]

    def diffusivity(self, u: np.ndarray) -> np.ndarray:
        """4 (1 - x) / p: (n,)."""
        return 4 * (1 - self.x) / u[0]

    def scalar(self, u: np.ndarray) -> np.ndarray:
        """R: (n,)."""
        return 4 * (1 - self.x) * (1 - self.round.laplace(np.log(u[0]))) / u[0]

    def steady(self, u: np.ndarray) -> np.ndarray:
        """Ric + Hess phi for phi = log(p / (1 + r^2)) in an orthonormal frame, along r and along the circle: (2, n).

        0 on a steady soliton: the cigar of any size, p = 1 / (a + (1 - a) x).
        """
        x, p = self.x, u[0]
        slope = 2 * self.round.slope(np.log(p))
        half = (1 - x) * slope - 1  # r phi_r / 2 x
        circle = 2 * (x * (1 - x) * slope + 1 - x) * half / p
        along = 4 * (1 - x) * (half + 2 * x * self.round.slope(half)) / p - circle
        return self.scalar(u) / 2 + np.stack([along, circle])

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """integral of R (4 pi) and R^2, the greatest |R|, and the greatest |Ric + Hess phi|; the volume is infinite."""
        area = np.pi * self.round.weight / 2 * u[0] / (1 - self.x)
        return integrals(self.scalar(u), area) | {"unsteady": float(np.abs(self.steady(u)).max())}

    def exact(self, t: float) -> np.ndarray | None:
        """(1, n) at time t of the local flow of the cigar, (dx^2 + dy^2) / (e^(4t) + r^2)."""
        grown = np.exp(4 * t)
        return None if self.keys.amplitude else (1 / (grown + (1 - grown) * self.x))[None]
