"""Ricci flow on S^1 x S^2 of metrics that rotations of S^2 leave alone, up to where a neck pinches (HR 2.39)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator
from scipy import fft

from mpiflow.grids import rk4
from mpiflow.grids.round import integrals
from mpiflow.grids.space import Keys, Space


class Neck(Space):
    """[manifold] family = "neck": S^1 x S^2, by metrics that rotations of S^2 leave alone.

    h dx^2 + y d Omega^2, x in [0, 2 pi): (h, y) are (2, n) float64, h the same at every x. With the vector field V
    along x for which h stays so, V_x = mean(L) - L for L = y_ss / y - y_s^2 / (2 y^2), s the length along x: h' = 2 h
    mean(L) and y' = y_ss - 2 + V y_x. (y, the square of the radius, and not the radius: its flow has no denominator but
    V's.)
    """

    name = "neck"
    components = 2
    dimension = 3

    class Keys(Keys):
        """Keys of [manifold] beside family = "neck"."""

        points: Annotated[int, Field(ge=4, le=4096, description="64 are enough away from a pinch")] = 64
        """Points along the circle."""
        radius: Annotated[float, Field(gt=0, le=1e6)] = 1.0
        """Of the spheres."""
        amplitude: Annotated[float, Field(ge=0, le=1e6)] = 0.0
        """Their radius is radius + amplitude cos x. e.g. 0.3"""
        length: Annotated[float, Field(gt=0, le=1e6)] = 4 * np.pi
        """Of the circle."""

        @model_validator(mode="after")
        def _open(self):
            if self.amplitude >= self.radius:
                raise ValueError(
                    f"amplitude = {self.amplitude:g}: must be less than radius = {self.radius:g}, or no neck is open"
                )
            return self

    def __init__(self, keys: Keys):
        super().__init__(keys)
        self.shape = (keys.points,)
        self._wave = np.arange(keys.points // 2 + 1.0)
        # The highest wave of an even number of points has no derivative of its own.
        self._slope = 1j * np.where(2 * self._wave == keys.points, 0, self._wave)

    @property
    def spacing(self) -> float:
        """The distance of neighbours in x."""
        return 2 * np.pi / self.keys.points

    def start(self) -> np.ndarray:
        """(h, y) of the keys: (2, n)."""
        x = 2 * np.pi * np.arange(*self.shape) / self.keys.points
        return np.stack(
            [
                np.full(self.shape, (self.keys.length / (2 * np.pi)) ** 2),
                (self.keys.radius + self.keys.amplitude * np.cos(x)) ** 2,
            ]
        )

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton") -> np.ndarray:
        """d(h, y)/dt: (2, n)."""
        h, y = u
        first, second = self._derivatives(y)
        stretch = (second / y - (first / y) ** 2 / 2) / h
        field = self._multiplied(stretch, -np.divide(1, self._slope, out=0 * self._slope, where=self._slope != 0))
        velocity = second / h - 2 + field * first
        return np.stack([2 * h * stretch.mean(), velocity if not width else self.smoothed(velocity, width)])

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s along x, width in its units: (n,) to (n,)."""
        return self._multiplied(field, np.exp(-((width * self._wave) ** 2) / 2)) if width else field

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest stable step of RK4 at u, of the terms of second order."""
        rates = self._wave**2 * np.exp(-((width * self._wave) ** 2) / 2)
        return rk4.REACH * float(u[0].min() / rates.max())

    def _scalar(self, u: np.ndarray) -> np.ndarray:
        """R = 4 K_rad + 2 K_tan: (n,)."""
        h, y = u
        first, second = self._derivatives(y)
        return (2 - 2 * second / h + (first**2 / y) / (2 * h)) / y

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """volume, integrals of R and R^2, the greatest |R|, length of the circle, radius of the narrowest sphere."""
        h, y = u
        volume = 8 * np.pi**2 / self.keys.points * np.sqrt(h) * y
        lengths = {"length": float(2 * np.pi * np.sqrt(h).mean()), "radius": float(np.sqrt(y.min()))}
        return {"volume": float(volume.sum())} | integrals(self._scalar(u), volume) | lengths

    def exact(self, t: float) -> np.ndarray | None:
        """(2, n) at time t of the local flow of round spheres: radius^2 - 2 t, the length kept."""
        return None if self.keys.amplitude else self.start() - np.array([[0], [2 * t]])

    def _derivatives(self, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._multiplied(field, self._slope), self._multiplied(field, -(self._wave**2))

    def _multiplied(self, field: np.ndarray, factor: np.ndarray) -> np.ndarray:
        return fft.irfft(fft.rfft(field) * factor, n=self.keys.points)
