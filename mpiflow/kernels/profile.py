"""How a kernel looks inside a vector register: its coordinates, its overlap, its value.

A profile is the structure of a kernel (what is compiled), apart from its parameters (what is passed):
a new width needs no new code. Records are the numbers that stand for a point in a tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from mpiflow.geometry.projective import unit
from mpiflow.vector.lanes import Lanes

# First coefficient left out over the largest: below the rounding that the inner products bring anyway.
_TOLERANCE = {"float32": 3e-7, "float64": 2e-14}


@dataclass(frozen=True)
class Profile:
    """The overlap of points of P^n alone: |<x, y>|^2 of unit points, cos^2 of their distance.

    A kernel's own profile has a `value` as well, the `flops` of an entry, and its parameters.
    """

    precision: str
    dimension: int

    n_parameters = 0

    @property
    def numbers(self) -> int:
        return 2 * (self.dimension + 1)

    @property
    def coordinates(self) -> int:
        return self.numbers

    def records(self, kernel, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, numbers) and the factors (N,) that are taken out of the kernel."""
        z = unit(points)
        return np.concatenate([z.real, z.imag], axis=1), np.ones(len(z))

    def parameters(self, kernel, floor: float) -> list[float]:
        """What of the kernel is passed, no angle being below `floor`."""
        return []

    def overlap(self, x: list[Lanes], y: list[Lanes]) -> Lanes:
        """|<x, y>|^2 of the unit points: cos^2 of the distance."""
        n = self.dimension + 1
        real = dot(x, y)
        imaginary = dot(x[n:], y[:n]) - dot(x[:n], y[n:])
        return real.fma(real, imaginary * imaginary)

    @property
    def _exp2(self) -> tuple[float, ...]:
        return fit(np.exp2, -0.5, 0.5, self.precision)


@cache
def fit(function: Callable, low: float, high: float, precision: str) -> tuple[float, ...]:
    """Power coefficients of a function on [low, high], of the lowest degree that the precision allows."""
    # Many more nodes than coefficients, so that the rounding of the function averages out.
    theta = np.pi * (np.arange(400) + 0.5) / 400
    values = function((low + high) / 2 + (high - low) / 2 * np.cos(theta))
    series = np.array([2 * np.mean(values * np.cos(k * theta)) for k in range(24)])
    series[0] /= 2
    degree = np.flatnonzero(np.abs(series) > _TOLERANCE[precision] * np.abs(series).max())[-1]
    # The change to powers cancels: in extended precision where the machine has it.
    chebyshev = np.polynomial.Chebyshev(series[: degree + 1].astype(np.longdouble), domain=[low, high])
    return tuple(float(c) for c in chebyshev.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef)


def dot(x: list[Lanes], y: list[Lanes]) -> Lanes:
    """The sum of products of numbers, fused."""
    total = x[0] * y[0]
    for a, b in zip(x[1:], y[1:], strict=False):
        total = a.fma(b, total)
    return total
