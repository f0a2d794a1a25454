"""Functions of one coordinate of the unit sphere: z^q R(|z|^2) with Jacobi polynomials R (Zernike's, on the disc |z| <= 1).

They span the same functions as z^alpha zbar^beta, degree by degree, but nearly orthogonally: powers of |z|^2 alone have
condition number 1e12 at degree 24.
"""

from __future__ import annotations

import math

import numpy as np


def derivatives(z: np.ndarray, labels: np.ndarray, weight: int, order: int) -> np.ndarray:
    """d^p dbar^q of the function of each label, p and q up to `order`.

    z: (...) complex, |z| <= 1. labels: (L, 2) int, (alpha, beta): leading term z^alpha zbar^beta. weight: the functions are
    orthonormal in the measure (weight + 1) (1 - t)^weight dt, t = |z|^2. Returns (L, order+1, order+1, ...) complex.
    """
    charge = labels[:, 0] - labels[:, 1]
    radius = labels.min(1)
    powers = _powers(z, int(np.abs(charge).max(initial=0)) + order)
    result = np.zeros((len(labels), order + 1, order + 1, *z.shape), np.complex128)
    for size in np.unique(np.abs(charge)):
        radial = _radial(z.real**2 + z.imag**2, int(size), weight, int(radius[np.abs(charge) == size].max()), 2 * order)
        for p in range(order + 1):
            for q in range(order + 1):
                table = _derivative(z, powers, radial, int(size), p, q)
                plain = charge == size
                result[plain, p, q] = table[radius[plain]]
                mirror = charge == -size
                result[mirror, q, p] = table[radius[mirror]].conj()
    return result


def _derivative(z, powers, radial, charge: int, p: int, q: int) -> np.ndarray:
    """d^p dbar^q z^Q R(t) = d^p z^(Q+q) R^(q)(t), by Leibniz' rule."""
    total = np.zeros(radial.shape[1:], np.complex128)
    for m in range(p + 1):
        factor = math.comb(p, m) * math.perm(charge + q, p - m)
        if factor:
            total = total + factor * powers[charge + q - p + m] * z.conj() ** m * radial[q + m]
    return total


def _powers(z: np.ndarray, top: int) -> np.ndarray:
    powers = np.ones((top + 1, *z.shape), np.complex128)
    for k in range(1, top + 1):
        powers[k] = powers[k - 1] * z
    return powers


def _radial(t: np.ndarray, charge: int, weight: int, top: int, order: int) -> np.ndarray:
    """Derivatives of the normalised Jacobi polynomials P_c^(weight, charge)(2t - 1): (order+1, top+1, ...) float64."""
    result = np.zeros((order + 1, top + 1, *t.shape))
    for m in range(min(order, top) + 1):
        result[m, m:] = _jacobi(2 * t - 1, weight + m, charge + m, top - m)
    for c in range(top + 1):
        norm = _norm(c, weight, charge)
        for m in range(min(order, c) + 1):
            result[m, c] *= norm * math.prod(range(c + weight + charge + 1, c + weight + charge + 1 + m))
    return result


def _norm(c: int, a: int, b: int) -> float:
    """1 / sqrt of (a + 1) times the integral of P_c^2 t^b (1 - t)^a over [0, 1]."""
    gamma = math.lgamma(c + a + 1) + math.lgamma(c + b + 1) - math.lgamma(c + a + b + 1) - math.lgamma(c + 1)
    return math.exp(-gamma / 2) * math.sqrt((2 * c + a + b + 1) / (a + 1))


def _jacobi(x: np.ndarray, a: int, b: int, top: int) -> np.ndarray:
    """P_0 ... P_top of weight (1-x)^a (1+x)^b by the three-term recurrence: (top+1, ...)."""
    p = np.ones((top + 1, *x.shape))
    if top:
        p[1] = (a + 1) + (a + b + 2) * (x - 1) / 2
    for c in range(2, top + 1):
        s = 2 * c + a + b
        ahead = (s - 1) * (s * (s - 2) * x + a * a - b * b) * p[c - 1]
        p[c] = (ahead - 2 * (c + a - 1) * (c + b - 1) * s * p[c - 2]) / (2 * c * (c + a + b) * (s - 2))
    return p
