"""lambda(g), the least eigenvalue of -4 Lap + R, and its ground state, by preconditioned conjugate gradients (LOBPCG)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from mpiflow.errors import NumericalError
from mpiflow.grids.curvature import Geometry

#: |A f - lambda M f| over |M f| at which the state is found, and steps after which it is given up.
_ENOUGH, _MOST = 1e-11, 300
#: Eigenvalues of a Gram matrix below which a vector is a combination of the others but for rounding.
_DEPENDENT = 1e-14


def state(geometry: Geometry) -> tuple[float, np.ndarray]:
    """lambda, and f > 0 with int f^2 dV = 1: the least int 4 |df|^2 + R f^2 dV; collective on slabs.

    From a constant, so that it is a function of g alone. The residual is preconditioned by 1 / (4 k^2 + 1). Raises
    NumericalError where it does not converge.
    """
    operator = _Operator(geometry)
    last: list[_Pair] = []
    f = operator.pair(operator.cut(np.ones_like(geometry.root)))
    for _ in range(_MOST):
        a, m = operator.products(f, f)
        f = _combined([f], [m**-0.5])
        residual = f.image - a / m * f.mass
        if operator.norm(residual) <= _ENOUGH * operator.norm(f.mass):
            return a / m, _positive(operator, f.field)
        basis = [f, operator.pair(operator.conditioned(residual)), *last]
        first, *rest = _mixture(operator, basis)
        # Where it came from, which the next step goes on along.
        last = [_combined(basis[1:], rest)]
        f = _combined([f, *last], [first, 1.0])
    raise NumericalError("the ground state of -4 Lap + R does not converge: the grid is too coarse for the metric")


class _Pair(NamedTuple):
    """A function f with A f and M f."""

    field: np.ndarray
    image: np.ndarray
    mass: np.ndarray


class _Operator:
    """A f = cut(-4 d_i (sqrt(g) g^ij d_j f) + sqrt(g) R f) and M f = cut(sqrt(g) f), symmetric on what the cut keeps."""

    def __init__(self, geometry: Geometry):
        self.geometry, self.spectral = geometry, geometry.spectral
        self.flux = geometry.root * geometry.inverse
        self.potential = geometry.root * geometry.scalar

    def cut(self, field: np.ndarray) -> np.ndarray:
        """The modes of a field that the grid keeps."""
        return self.spectral.smoothed(field, 0.0)

    def pair(self, field: np.ndarray) -> _Pair:
        """f, cut already, with its images."""
        spectral, at, every = self.spectral, self.geometry.at, range(self.geometry.d)
        slope = spectral.slopes(spectral.forward(field))
        total = spectral.forward(self.potential * field)
        for i in every:
            total -= 4j * spectral.k[i] * spectral.forward(sum(self.flux[at[i][j]] * slope[j] for j in every))
        return _Pair(field, spectral.backward(total), self.cut(self.geometry.root * field))

    def conditioned(self, field: np.ndarray) -> np.ndarray:
        """A field with its k-th mode over 4 k^2 + 1."""
        return self.spectral.backward(self.spectral.forward(field) / (4 * self.spectral.square + 1))

    def products(self, x: _Pair, y: _Pair) -> list[float]:
        """<x, A y> and <x, M y>."""
        return self.spectral.integral(x.field * y.image, x.field * y.mass)

    def norm(self, field: np.ndarray) -> float:
        """In the coordinates."""
        return float(np.sqrt(self.spectral.integral(field * field)[0]))


def _mixture(operator: _Operator, basis: list[_Pair]) -> np.ndarray:
    """The combination of least Rayleigh quotient: (m,), its first number not negative."""
    found = np.array([[operator.products(x, y) for y in basis] for x in basis])
    scale = np.sqrt(np.einsum("iik->ik", found)[:, 1])
    a, m = (found[..., part] / np.outer(scale, scale) for part in range(2))
    weight, vector = eigh((m + m.T) / 2)
    kept = weight > _DEPENDENT
    whole = vector[:, kept] / np.sqrt(weight[kept])
    lowest = whole @ eigh(whole.T @ ((a + a.T) / 2) @ whole)[1][:, 0] / scale
    return lowest if lowest[0] >= 0 else -lowest


def _combined(basis: list[_Pair], weights: list[float]) -> _Pair:
    return _Pair(*(sum(w * part for w, part in zip(weights, each, strict=True)) for each in zip(*basis, strict=True)))


def _positive(operator: _Operator, f: np.ndarray) -> np.ndarray:
    f = f if operator.spectral.integral(f)[0] > 0 else -f
    if operator.spectral.slab.least(float(f.min()), ())[0] <= 0:
        raise NumericalError("the ground state of -4 Lap + R changes sign: the grid is too coarse for the metric")
    return f
