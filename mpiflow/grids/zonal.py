"""Functions of one angle on round spheres, by their values at Gauss points: Laplacian, heat kernel and slopes are matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import legendre


@dataclass(frozen=True, eq=False)
class Zonal:
    """Functions of xi = cos theta on a round unit sphere, polynomials of degree n - 1.

    xi, weight: (n,) float64 in [-1, 1], points and weights of an integral exact for degree 2 n - 1. basis: (n, n), values of
    the orthonormal harmonics at the points; slopes: (n, n), those of their derivative in xi; eigenvalues: (n,), of -Laplace.
    """

    xi: np.ndarray
    weight: np.ndarray
    basis: np.ndarray
    slopes: np.ndarray
    eigenvalues: np.ndarray

    def coefficients(self, field: np.ndarray) -> np.ndarray:
        """(n,) values to (n,) coefficients of the orthonormal harmonics."""
        return self.basis.T @ (self.weight * field)

    def laplace(self, field: np.ndarray) -> np.ndarray:
        """The Laplacian of the round unit sphere: (n,) to (n,)."""
        return self.basis @ (-self.eigenvalues * self.coefficients(field))

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s, the heat kernel at time s^2 / 2 (HR 2.27): (n,) to (n,); the same bits at width 0."""
        return self.basis @ (self.multiplier(width) * self.coefficients(field)) if width else field

    def multiplier(self, width: float) -> np.ndarray:
        """What N_s makes of each harmonic: (n,)."""
        return np.exp(-(width**2) * self.eigenvalues / 2)

    def slope(self, field: np.ndarray) -> np.ndarray:
        """The derivative in xi: (n,) to (n,)."""
        return self.slopes @ self.coefficients(field)

    def rate(self, diffusivity: np.ndarray, width: float) -> float:
        """The spectral radius of N_s diffusivity (-Laplace), diffusivity (n,) > 0: the rate of the fastest mode."""
        rates = self.eigenvalues * self.multiplier(width)
        root = np.sqrt(rates)[:, None] * self.basis.T
        return float(np.linalg.eigvalsh((root * (self.weight * diffusivity)) @ root.T)[-1])


@cache
def two_sphere(count: int) -> Zonal:
    """On S^2: Legendre polynomials at their own points; weights of d(xi)."""
    xi, weight = legendre.leggauss(count)
    degree = np.arange(count)
    scale = np.sqrt(degree + 0.5)
    # Rows of the identity are the polynomials; legder shortens them by one.
    slopes = legendre.legvander(xi, max(count - 2, 0)) @ legendre.legder(np.diag(scale))
    return Zonal(xi, weight, legendre.legvander(xi, count - 1) * scale, slopes, degree * (degree + 1.0))


@cache
def three_sphere(count: int) -> Zonal:
    """On S^3: sin((l+1) theta) / sin theta at Chebyshev's points of the second kind; weights of sqrt(1 - xi^2) d(xi)."""
    theta = np.pi * np.arange(count, 0, -1) / (count + 1)
    order, scale = np.arange(1, count + 1), np.sqrt(2 / np.pi)
    xi, sine = np.cos(theta), np.sin(theta)
    basis = np.sin(np.outer(theta, order)) / sine[:, None]
    slopes = (xi[:, None] * basis - order * np.cos(np.outer(theta, order))) / (sine**2)[:, None]
    return Zonal(xi, np.pi / (count + 1) * sine**2, scale * basis, scale * slopes, order**2 - 1.0)


@cache
def integral(sphere: Zonal) -> np.ndarray:
    """Of the harmonics of S^3 over xi, with mean 0 on it: (n, n), values at the points; of U_l it is T_(l+1) / (l+1)."""
    order = np.arange(1, len(sphere.xi) + 1)
    values = np.sqrt(2 / np.pi) * np.cos(np.outer(np.arccos(sphere.xi), order)) / order
    return values - sphere.weight @ values / sphere.weight.sum()
