"""The Casimir preconditioner of sections on a product of projective spaces: exact on the product of their round metrics.

The group prod_i SU(n_i + 1) splits the Hermitian h into representations (l_1 .. l_r), l_i <= m_i, on which the Casimir
operator of factor i is l_i (l_i + n_i). These commute, and what is wanted is a polynomial in them:
Newton's, one within the other.
"""

from __future__ import annotations

from math import comb

import numpy as np

from mpiflow import hermitian
from mpiflow.geometry.domain import Domain
from mpiflow.geometry.polynomial import multimonomials
from mpiflow.kernels.casimir import Moved, divided_differences
from mpiflow.kernels.multisections import MultiSections, places, reduction


def eigenvalues(multidegree: tuple[int, ...], ambient: tuple[int, ...], kaehler: tuple[float, ...]) -> np.ndarray:
    """Mean of (A h)^2 over prod_i P^(n_i) with sum_i t_i g_i for |h| = 1 in each representation: (m_1 + 1, ..., m_r + 1).

    The Laplacian's sum_i l_i (l_i + n_i) / t_i, squared, times Berezin's factor of each l_i (see `casimir.eigenvalues`).
    """
    total, kept = np.zeros(()), np.ones(())
    for m, n, t in zip(multidegree, ambient, kaehler, strict=True):
        levels = np.arange(m + 1)
        total = total[..., None] + levels * (levels + n) / t
        kept = kept[..., None] * np.array([comb(2 * m + n, m - level) / comb(2 * m + n, m) for level in levels])
    return total**2 * kept


def inverse(surface: Domain, features: MultiSections) -> MultiCasimir:
    """About (A^T A)^-1 on the sections of a surface, up to one factor; symmetric and positive definite."""
    wanted = eigenvalues(features.multidegree, tuple(features.sizes - 1), surface.kaehler)
    # A constant potential changes nothing; it is taken along as if it were of the least level.
    wanted.flat[0] = min(wanted[tuple(row)] for row in np.eye(wanted.ndim, dtype=int))
    return MultiCasimir(features, wanted.flat[-1] / wanted, reduction(surface, features))


def smoothness(features: MultiSections) -> MultiCasimir:
    """What a smooth prior weighs h by: the square of the round metrics' Laplacian, 1 on its least level, and on constants."""
    ambient = tuple(features.sizes - 1)
    kaehler = tuple(m / features.degree for m in features.multidegree)
    total = np.zeros(())
    for m, n, t in zip(features.multidegree, ambient, kaehler, strict=True):
        levels = np.arange(m + 1)
        total = total[..., None] + levels * (levels + n) / t
    total.flat[0] = least = min(total[tuple(row)] for row in np.eye(total.ndim, dtype=int))
    every = multimonomials(features.multidegree, tuple(features.sizes))
    kept = np.zeros((len(every), len(features.exponents)), np.complex128)
    kept[places(every, features.exponents), np.arange(len(features.exponents))] = 1.0
    return MultiCasimir(features, (total / least) ** 2, kept)


class MultiCasimir:
    """A function of the Casimir operators of all factors on the sections of a surface, symmetric.

    values: (m_1 + 1, ..., m_r + 1) float64, of the function on the representations. onto: (M, N) complex, T of all monomials.
    """

    def __init__(self, features: MultiSections, values: np.ndarray, onto: np.ndarray):
        every = multimonomials(features.multidegree, tuple(features.sizes))
        self.onto, self._factors, self._terms = onto, [], values
        stops = np.cumsum(features.sizes)
        for axis, (m, stop, size) in enumerate(zip(features.multidegree, stops, features.sizes, strict=True)):
            levels = np.arange(m + 1)
            nodes = (levels * (levels + size - 1)).astype(float)
            self._factors.append((nodes, Moved(every, range(stop - size, stop)), m * (m + size - 1)))
            moved = np.moveaxis(self._terms, axis, 0)
            self._terms = np.moveaxis(divided_differences(nodes, moved), 0, axis)

    def __call__(self, h: np.ndarray) -> np.ndarray:
        """The function times h, or a gradient, in reals: (N^2,) to (N^2,) float64."""
        whole = self.onto.conj() @ hermitian.from_reals(h) @ self.onto.T
        return hermitian.to_reals(self.onto.T @ self._nested(whole, self._terms, 0) @ self.onto.conj())

    def _nested(self, h: np.ndarray, terms: np.ndarray, axis: int) -> np.ndarray:
        """Horner's rule in the Casimir operator of one factor; its coefficients are polynomials in those of the others."""
        if axis == len(self._factors):
            return terms * h
        nodes = self._factors[axis][0]
        found = self._nested(h, terms[-1], axis + 1)
        for term, node in zip(terms[-2::-1], nodes[-2::-1], strict=True):
            found = self._applied(found, axis) - node * found + self._nested(h, term, axis + 1)
        return found

    def _applied(self, h: np.ndarray, axis: int) -> np.ndarray:
        """The Casimir operator of a factor, m (m + n) h - sum_ij E_ij h E_ij^T."""
        _, moved, constant = self._factors[axis]
        return constant * h - moved(h)
