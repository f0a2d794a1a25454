"""How a kernel looks inside a vector register: its coordinates, its overlap, its value.

A profile is the structure of a kernel (what is compiled), apart from its parameters (what is passed):
a new width needs no new code. Records are the numbers that stand for a point in a tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from mpiflow.geometry.fubini_study import unit
from mpiflow.kernels import Gaussian, ReluNTK
from mpiflow.vector.lanes import Lanes

# First coefficient left out over the largest: below the rounding that the inner products bring anyway.
_TOLERANCE = {"float32": 3e-7, "float64": 2e-14}


@cache
def fit(name: str, precision: str) -> tuple[float, ...]:
    """Power coefficients of a function of this module, of the lowest degree that its precision allows."""
    function, low, high = _FUNCTIONS[name]
    # Many more nodes than coefficients, so that the rounding of the function averages out.
    theta = np.pi * (np.arange(400) + 0.5) / 400
    values = function((low + high) / 2 + (high - low) / 2 * np.cos(theta))
    series = np.array([2 * np.mean(values * np.cos(k * theta)) for k in range(24)])
    series[0] /= 2
    degree = np.flatnonzero(np.abs(series) > _TOLERANCE[precision] * np.abs(series).max())[-1]
    # The change to powers cancels: in extended precision where the machine has it.
    chebyshev = np.polynomial.Chebyshev(series[: degree + 1].astype(np.longdouble), domain=[low, high])
    return tuple(float(c) for c in chebyshev.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef)


def _angle(h):
    return 2 * np.arcsin(np.sqrt(h / 2))


def _cusp(h):
    """(sin t - t cos t) / h^(3/2), t = arccos(1 - h): regular at h = 0."""
    t = _angle(h)
    series = t**3 * (1 / 3 - t**2 * (1 / 30 - t**2 * (1 / 840 - t**2 * (1 / 45360 - t**2 / 3991680))))
    return np.where(t < 0.3, series, np.sin(t) - t * np.cos(t)) / h**1.5


# All are analytic up to h = 2 (angle pi), so that degree 6 to 8 reaches float32 and 16 to 18 float64.
_FUNCTIONS = {
    "angle": (lambda h: _angle(h) / np.sqrt(h), 0, 1),
    "square": (lambda h: _angle(h) ** 2 / h, 0, 1),
    "cusp": (_cusp, 0, 1),
    "ntk": (lambda h: (_cusp(h) * h**1.5 - _angle(h) * (1 - h)) / np.sqrt(h), 0, 1),
    "exp2": (np.exp2, -0.5, 0.5),
}


@dataclass(frozen=True)
class GaussianProfile:
    """exp(-d^2 / (2 width^2)) from r = |<x, y>| and arccos(r)^2 = (1 - r) G(1 - r)."""

    precision: str
    dimension: int

    @property
    def numbers(self) -> int:
        return 2 * (self.dimension + 1)

    @property
    def coordinates(self) -> int:
        return self.numbers

    def records(self, kernel: Gaussian, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, numbers) and the factors (N,) that are taken out of the kernel."""
        z = unit(points)
        return np.concatenate([z.real, z.imag], axis=1), np.ones(len(z))

    def parameters(self, kernel: Gaussian, floor: float) -> list[float]:
        square = np.array(fit("square", self.precision)) * (-np.log2(np.e) / (2 * kernel.width**2))
        return [1 - np.cos(floor), *square]

    @property
    def n_parameters(self) -> int:
        return 1 + len(fit("square", self.precision))

    @property
    def flops(self) -> int:
        """Floating-point operations an entry."""
        return 4 * self.numbers + 2 * len(fit("square", self.precision)) + 2 * len(fit("exp2", self.precision)) + 8

    def overlap(self, x: list[Lanes], y: list[Lanes]) -> Lanes:
        """|<x, y>|^2 of the unit points: cos^2 of the distance."""
        n = self.dimension + 1
        real = _dot(x, y)
        imaginary = _dot(x[n:], y[:n]) - _dot(x[:n], y[n:])
        return real.fma(real, imaginary * imaginary)

    def value(self, x: list[Lanes], y: list[Lanes], parameters: list[Lanes]) -> Lanes:
        floor, *square = parameters
        versine = (1.0 - self.overlap(x, y).sqrt()).max(floor)
        # Clamped before 2^t leaves the normal numbers: subnormal tiles are 19 times slower.
        exponent = (versine * versine.polynomial(square)).max(-80.0)
        return exponent.exp2(fit("exp2", self.precision))


@dataclass(frozen=True)
class ReluProfile:
    """The ReLU NTK's recursion (`ReluNTK`) on rho, one square root and two polynomials a layer."""

    precision: str
    dimension: int
    depth: int
    bias: bool

    @property
    def coordinates(self) -> int:
        return 2 * (self.dimension + 1) + self.bias

    @property
    def numbers(self) -> int:
        return self.coordinates + 2 * self.depth * self.bias

    n_parameters = 1

    @property
    def flops(self) -> int:
        """Floating-point operations an entry."""
        return 2 * self.coordinates + self.depth * (4 * len(fit("ntk", self.precision)) + 14)

    def records(self, kernel: ReluNTK, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit features, with biases followed by alpha and beta of each layer; and scale(x)."""
        alpha, beta, scale = kernel.layers(points)
        features = kernel.features(points)
        return np.concatenate([features, alpha.T, beta.T], axis=1) if self.bias else features, scale

    def parameters(self, kernel: ReluNTK, floor: float) -> list[float]:
        return [np.cos(floor)]

    def overlap(self, x: list[Lanes], y: list[Lanes]) -> Lanes:
        """rho^2 of the input layer."""
        rho = _dot(x[: self.coordinates], y)
        return rho * rho

    def value(self, x: list[Lanes], y: list[Lanes], parameters: list[Lanes]) -> Lanes:
        (limit,) = parameters
        rho = _dot(x[: self.coordinates], y).min(limit).max(0.0 - limit)
        if self.depth == 1 and not self.bias:
            # theta = (sin t + 2 (pi - t) rho) / pi, whose cusps at rho = +-1 are one square root.
            versine = 1.0 - rho.abs()
            cusp = versine.sqrt() * versine.polynomial([c / np.pi for c in fit("ntk", self.precision)])
            return rho.max(0.0).fma(2.0, cusp)
        theta = rho
        for layer in range(self.depth):
            gain, offset = self._norms(x, y, layer)
            series, slope = self._arc(rho)
            rho = series.fma(gain, offset)
            theta = (theta * gain).fma(slope, rho)
        return theta

    def _arc(self, rho: Lanes) -> tuple[Lanes, Lanes]:
        """S(rho) = sqrt(1 - rho^2) + rho (pi - arccos rho) and its slope pi - arccos rho."""
        versine = (1.0 - rho.abs()).max(0.0)
        root = versine.sqrt()
        angle = root * versine.polynomial(fit("angle", self.precision))
        cusp = versine * root * versine.polynomial(fit("cusp", self.precision))
        return rho.max(0.0).fma(np.pi, cusp), rho.where(rho > 0.0, np.pi - angle, angle)

    def _norms(self, x: list[Lanes], y: list[Lanes], layer: int):
        if not self.bias:
            return 1 / np.pi, 0.0
        alpha, beta = self.coordinates + layer, self.coordinates + self.depth + layer
        return x[alpha] * y[alpha], x[beta] * y[beta]


def _dot(x: list[Lanes], y: list[Lanes]) -> Lanes:
    total = x[0] * y[0]
    for a, b in zip(x[1:], y[1:], strict=False):
        total = a.fma(b, total)
    return total


def profile(kernel: Gaussian | ReluNTK, n: int, precision: str) -> GaussianProfile | ReluProfile:
    """The profile of a kernel for points of P^n."""
    if isinstance(kernel, Gaussian):
        return GaussianProfile(precision, n)
    return ReluProfile(precision, n, int(kernel.depth), kernel.b_std > 0)
