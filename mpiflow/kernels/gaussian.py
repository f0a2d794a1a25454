"""The Gaussian kernel in Fubini-Study distance (HR 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.geometry.projective import distance
from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.near import ALLOWED, ROUNDING, distances, half_angle
from mpiflow.kernels.profile import Profile, fit
from mpiflow.settings.section import Positive
from mpiflow.vector.lanes import Lanes

#: A train point is .968 N^-.184 from its nearest one on average (HR 3.7): .006 for 10^12 of them.
_NARROWEST = 1e-3


class Gaussian(Kernel):
    """[kernel] name = "gaussian": exp(-d^2 / (2 width^2)), d the Fubini-Study distance (HR 3.6), width in its units."""

    width: Annotated[Positive, Field(le=1e3, description="a Fubini-Study distance; 0.3 to 0.5 suit 1000 points")]
    """How far a point feels. [Fubini-Study distance] e.g. 0.4"""

    name = "gaussian"
    symmetric = True
    sparse = True
    answers = Kernel.answers | {"ricci"}
    space = {"flow.dt": [0.003, 3.0], "kernel.width": [0.1, 1.0]} | Kernel.space

    def check(self, config) -> None:
        """Raises ValueError for a width at which no point feels another."""
        if self.width < _NARROWEST:
            raise ValueError(
                f"kernel.width = {self.width:g}: no two points of any data set are near enough to feel each other; 0.3 to 0.5 "
                "suit 1000 points, and the delta kernel is the limit"
            )

    def tile(self, x: np.ndarray, y: np.ndarray, xp=np) -> np.ndarray:
        """K of all pairs. x: (N, n+1), y: (M, n+1) complex. Returns (N, M) float64."""
        return self.at(distances(x, y, xp), xp)

    def pairs(self, x: np.ndarray, y: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """K of paired points x, y (N, n+1), as if no distance were below `floor`. Returns (N,) float64."""
        return self.at(np.maximum(distance(x, y), floor))

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """K(x, x) = 1. x: (N, n+1). Returns (N,) float64."""
        return np.ones(len(x))

    def at(self, angle: np.ndarray, xp=np) -> np.ndarray:
        """K at a Fubini-Study distance."""
        return xp.exp(-((angle / self.width) ** 2) / 2)

    def reach(self, tolerance: float) -> float:
        """The distance at which K falls to `tolerance`.

        Sources beyond it change sum_x' K(x, x') v(x') / N' by less than tolerance times the mean of |v|, whatever v is.
        """
        return self.width * sqrt(2.0 * log(1.0 / min(tolerance, 1.0)))

    def floor(self, precision: str) -> float:
        """dK = K rounding / width^2 at most, from d^2 = 2 (1 - cos d): too large while K > 1 / excess."""
        excess = ROUNDING[precision] / (2 * self.width**2) / ALLOWED[precision]
        return float(min(self.width * np.sqrt(2 * np.log(excess)), 1.5)) if excess > 1 else 0.0

    def profile(self, n: int, precision: str) -> GaussianProfile:
        return GaussianProfile(precision, n)


def _square(h):
    """d^2 / h of h = 1 - cos d: analytic up to h = 2, so that degree 6 to 8 reaches float32 and 16 to 18 float64."""
    return half_angle(h) ** 2 / h


@dataclass(frozen=True)
class GaussianProfile(Profile):
    """exp(-d^2 / (2 width^2)) from r = |<x, y>| and arccos(r)^2 = (1 - r) G(1 - r)."""

    def parameters(self, kernel: Gaussian, floor: float) -> list[float]:
        square = np.array(self._square) * (-np.log2(np.e) / (2 * kernel.width**2))
        return [1 - np.cos(floor), *square]

    @property
    def n_parameters(self) -> int:
        return 1 + len(self._square)

    @property
    def flops(self) -> int:
        """Floating-point operations an entry."""
        return 4 * self.numbers + 2 * len(self._square) + 2 * len(self._exp2) + 8

    def value(self, x: list[Lanes], y: list[Lanes], parameters: list[Lanes]) -> Lanes:
        floor, *square = parameters
        versine = (1.0 - self.overlap(x, y).sqrt()).max(floor)
        # Clamped before 2^t leaves the normal numbers: subnormal tiles are 19 times slower.
        exponent = (versine * versine.polynomial(square)).max(-80.0)
        return exponent.exp2(self._exp2)

    @property
    def _square(self) -> tuple[float, ...]:
        return fit(_square, 0, 1, self.precision)
