"""A preconditioner of generic features: exact on P^n with its round metric, close to it on X.

phi = sum h_(alpha beta) s_alpha sbar_beta / |z|^(2k). The group SU(n+1) splits the Hermitian h into representations
l = 0 .. k on which its Casimir operator is l (l+n), and the round metric knows nothing else: with A = d log eta / dh, the
mean of (A h)^2 over P^n is |h|^2 times a number that depends on l alone. Its inverse is thus a function of the Casimir
operator, a polynomial of degree k in it. On X the monomials depend on each other, and h is what they leave of it.
"""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
from scipy import sparse

from mpiflow import hermitian
from mpiflow.geometry.polynomial import Polynomial, monomials
from mpiflow.kernels.sections import Sections, reduction


def eigenvalues(degree: int, n: int) -> np.ndarray:
    """Mean of (A h)^2 over P^n for |h| = 1 in each representation l = 0 .. k, up to one factor: (k+1,) float64.

    The Laplacian's l (l+n), squared, times what of h remains in its symbol phi: Berezin's k! (k+n)! / (k-l)! (k+n+l)!.
    """
    k, levels = degree, range(degree + 1)
    kept = [comb(2 * k + n, k - level) / comb(2 * k + n, k) for level in levels]
    return np.array([(level * (level + n)) ** 2 * b for level, b in zip(levels, kept, strict=True)])


def inverse(surface: Polynomial, features: Sections) -> Casimir:
    """About (A^T A)^-1 on the sections of a surface, up to one factor; symmetric and positive definite."""
    wanted = eigenvalues(features.degree, features.exponents.shape[1] - 1)
    # A constant potential changes nothing; it is taken along as if it were of level 1.
    wanted[0] = wanted[1]
    return Casimir(features, wanted[-1] / wanted, reduction(surface, features))


def smoothness(features: Sections) -> Casimir:
    """What a smooth prior weighs h by: the square of the round metric's Laplacian, 1 on level 1, and on constants."""
    n = features.exponents.shape[1] - 1
    levels = np.maximum(np.arange(features.degree + 1), 1)
    every = monomials(features.degree, n + 1)
    kept = (every[:, None] == features.exponents).all(2)
    return Casimir(features, (levels * (levels + n) / (1 + n)) ** 2, kept.astype(np.complex128))


class Casimir:
    """A function of the Casimir operator on the sections of a surface, symmetric.

    values: (k+1,) float64, of the function on the representations. onto: (M, N_k) complex, T of all monomials m = T s.
    """

    def __init__(self, features: Sections, values: np.ndarray, onto: np.ndarray):
        k, n = features.degree, features.exponents.shape[1] - 1
        every = monomials(k, n + 1)
        self.onto, self.kept = onto, np.flatnonzero((every[:, None] == features.exponents).all(2).any(1))
        self.rest = np.setdiff1d(np.arange(len(every)), self.kept)
        self.left = onto[self.rest]
        self._moved = Moved(every, range(n + 1))
        self._constant = k * (k + n)
        self._nodes = np.array([level * (level + n) for level in range(k + 1)], float)
        self._terms = divided_differences(self._nodes, values)

    def __call__(self, h: np.ndarray) -> np.ndarray:
        """The function times h, or a gradient, in reals: (N_k^2,) to (N_k^2,) float64."""
        whole = self._spread(hermitian.from_reals(h))
        found = self._terms[-1] * whole
        for term, node in zip(self._terms[-2::-1], self._nodes[-2::-1], strict=True):
            found = self._applied(found) - node * found + term * whole
        return hermitian.to_reals(self._gathered(found))

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

    def _applied(self, h: np.ndarray) -> np.ndarray:
        """The Casimir operator, half of sum_ij [E_ij, [E_ji, h]], which is k (k+n) h - sum_ij E_ij h E_ij^T."""
        return self._constant * h - self._moved(h)


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
    number = {tuple(row): m for m, row in enumerate(exponents.tolist())}
    found = []
    for i in factor:
        for j in factor:
            entries = []
            for m, row in enumerate(exponents.tolist()):
                moved = row.copy()
                moved[j] -= 1
                moved[i] += 1
                if row[j]:
                    entries.append((number[tuple(moved)], m, sqrt(row[j] * moved[i])))
            to, start, value = zip(*entries, strict=True)
            found.append(sparse.csr_array((value, (to, start)), shape=(len(exponents),) * 2))
    return found


def divided_differences(nodes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Newton's coefficients of the polynomials through (nodes, values), along the first axis of values."""
    terms = values.copy()
    for order in range(1, len(nodes)):
        apart = (nodes[order:] - nodes[:-order]).reshape(-1, *[1] * (values.ndim - 1))
        terms[order:] = (terms[order:] - terms[order - 1 : -1]) / apart
    return terms
