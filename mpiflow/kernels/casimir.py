"""A preconditioner of generic features: exact on P^n, or a product of them, with its round metric, close to it on X.

phi = sum h_(alpha beta) s_alpha sbar_beta / prod_i |z_i|^(2 m_i). The group prod_i SU(n_i + 1) splits the Hermitian h into
representations (l_1 .. l_r), l_i <= m_i, on which the Casimir operator of factor i is l_i (l_i + n_i), and the round metric
knows nothing else: with A = d log eta / dh, the mean of (A h)^2 is |h|^2 times a number that depends on the l_i alone. Its
inverse is thus a function of the Casimir operators, which commute: a polynomial in them, Newton's, one within the other. On X
the monomials depend on each other, and h is what they leave of it.
"""

from __future__ import annotations

from math import comb

import numpy as np
from scipy import sparse

from mpiflow import hermitian
from mpiflow.geometry.polynomial import multimonomials, places
from mpiflow.kernels.sections import Sections


def laplacian(multidegree: tuple[int, ...], ambient: tuple[int, ...], kaehler: tuple[float, ...]) -> np.ndarray:
    """sum_i l_i (l_i + n_i) / t_i in each representation: (m_1 + 1, ..., m_r + 1) float64."""
    total = np.zeros(())
    for m, n, t in zip(multidegree, ambient, kaehler, strict=True):
        levels = np.arange(m + 1)
        total = total[..., None] + levels * (levels + n) / t
    return total


def eigenvalues(multidegree: tuple[int, ...], ambient: tuple[int, ...], kaehler: tuple[float, ...]) -> np.ndarray:
    """Mean of (A h)^2 over prod_i P^(n_i) with sum_i t_i g_i for |h| = 1 in each representation, up to one factor.

    The Laplacian, squared, times what of h remains in its symbol phi: Berezin's m_i! (m_i+n_i)! / (m_i-l_i)! (m_i+n_i+l_i)!.
    """
    kept = np.ones(())
    for m, n in zip(multidegree, ambient, strict=True):
        kept = kept[..., None] * np.array([comb(2 * m + n, m - level) / comb(2 * m + n, m) for level in range(m + 1)])
    return laplacian(multidegree, ambient, kaehler) ** 2 * kept


def _first(values: np.ndarray) -> float:
    """The least of those of one level above the constant."""
    return min(values[tuple(row)] for row in np.eye(values.ndim, dtype=int))


def inverse(features: Sections, kaehler: tuple[float, ...], onto: np.ndarray) -> Casimir:
    """About (A^T A)^-1 on the sections of a surface, up to one factor; symmetric and positive definite. onto: of `Casimir`."""
    wanted = eigenvalues(features.multidegree, tuple(features.factors - 1), kaehler)
    # A constant potential changes nothing; it is taken along as if it were of the least level.
    wanted.flat[0] = _first(wanted)
    return Casimir(features, wanted.flat[-1] / wanted, onto)


def smoothness(features: Sections) -> Casimir:
    """What a smooth prior weighs h by: the square of the round metrics' Laplacian, 1 on its least level, and on constants."""
    kaehler = tuple(m / features.degree for m in features.multidegree)
    total = laplacian(features.multidegree, tuple(features.factors - 1), kaehler)
    total.flat[0] = least = _first(total)
    every = multimonomials(features.multidegree, tuple(features.factors))
    onto = np.eye(len(every), dtype=np.complex128)[:, places(every, features.exponents)]
    return Casimir(features, (total / least) ** 2, onto)


class Casimir:
    """A function of the Casimir operators of all factors on the sections of a surface, symmetric.

    values: (m_1 + 1, ..., m_r + 1) float64, of the function on the representations. onto: (M, N) complex, T of all monomials
    m = T s.
    """

    def __init__(self, features: Sections, values: np.ndarray, onto: np.ndarray):
        every = multimonomials(features.multidegree, tuple(features.factors))
        self.onto, self.kept = onto, places(every, features.exponents)
        self.rest = np.setdiff1d(np.arange(len(every)), self.kept)
        self.left = onto[self.rest]
        self._factors, self._terms = [], values
        stops = np.cumsum(features.factors)
        for axis, (m, stop, size) in enumerate(zip(features.multidegree, stops, features.factors, strict=True)):
            levels = np.arange(m + 1)
            nodes = (levels * (levels + size - 1)).astype(float)
            self._factors.append((nodes, Moved(every, range(stop - size, stop)), m * (m + size - 1)))
            moved = np.moveaxis(self._terms, axis, 0)
            self._terms = np.moveaxis(divided_differences(nodes, moved), 0, axis)

    def __call__(self, h: np.ndarray) -> np.ndarray:
        """The function times h, or a gradient, in reals: (N^2,) to (N^2,) float64."""
        whole = self._spread(hermitian.from_reals(h))
        return hermitian.to_reals(self._gathered(self._nested(whole, self._terms, 0)))

    def _spread(self, h: np.ndarray) -> np.ndarray:
        """T^* h T^T, where T has the sections themselves, at `kept`, and what the `rest` of the monomials are of them."""
        found = np.empty((len(self.onto),) * 2, np.complex128)
        found[np.ix_(self.kept, self.kept)] = h
        found[np.ix_(self.rest, self.kept)] = self.left.conj() @ h
        found[:, self.rest] = found[:, self.kept] @ self.left.T
        return found

    def _gathered(self, h: np.ndarray) -> np.ndarray:
        """T^T h T^*, in the same way."""
        columns = h[:, self.kept] + h[:, self.rest] @ self.left.conj()
        return columns[self.kept] + self.left.T @ columns[self.rest]

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
        """The Casimir operator of a factor, half of sum_ij [E_ij, [E_ji, h]]: m (m + n) h - sum_ij E_ij h E_ij^T."""
        _, moved, constant = self._factors[axis]
        return constant * h - moved(h)


class Moved:
    """h to sum_ij E_ij h E_ij^T over all i and j of a factor: one sparse matrix on the entries of h, row by row.

    exponents: (M, C) int, of the monomials.
    """

    def __init__(self, exponents: np.ndarray, factor: range):
        moves = generators(exponents, factor)
        self.matrix = sum(sparse.kron(move, move, format="csr") for move in moves)

    def __call__(self, h: np.ndarray) -> np.ndarray:
        """(M, M) complex128 to (M, M): real entries, so that real and imaginary parts are two columns."""
        parts = np.ascontiguousarray(h).reshape(-1).view(np.float64).reshape(-1, 2)
        return (self.matrix @ parts).reshape(-1).view(np.complex128).reshape(h.shape)


def generators(exponents: np.ndarray, factor: range) -> list[sparse.csr_array]:
    """E_ij = z_i d/dz_j on the orthonormal monomials (M, C) of a degree, for all i and j of a factor."""
    found = []
    for i in factor:
        for j in factor:
            start = np.flatnonzero(exponents[:, j])
            moved = exponents[start]
            moved[:, j] -= 1
            moved[:, i] += 1
            value = np.sqrt(exponents[start, j] * moved[:, i])
            to = places(exponents, moved)
            found.append(sparse.csr_array((value, (to, start)), shape=(len(exponents),) * 2))
    return found


def divided_differences(nodes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Newton's coefficients of the polynomials through (nodes, values), along the first axis of values."""
    terms = values.copy()
    for order in range(1, len(nodes)):
        apart = (nodes[order:] - nodes[:-order]).reshape(-1, *[1] * (values.ndim - 1))
        terms[order:] = (terms[order:] - terms[order - 1 : -1]) / apart
    return terms
