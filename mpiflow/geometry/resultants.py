"""All solutions of p equations in a product of projective spaces of dimension p, by one eigenvalue problem (theory 2).

Monomials of multidegree D + 1 times all equations span, in Macaulay's matrix, all that vanishes on the solutions; its kernel
is spanned by the monomials at the solutions, and there a ratio of two linear forms is a matrix with these as eigenvectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from mpiflow import streams
from mpiflow.errors import NumericalError
from mpiflow.geometry.polynomial import added, multimonomials

#: Relative size below which a row of Macaulay's matrix depends on the others.
_DEPENDENT = 1e-9


class Solver:
    """For equations of fixed multidegrees: which monomials and which rows are needed is found once.

    dims: (s,) the dimensions m_i >= 1 of the factors, sum p. degrees: (p, s). count: the number of solutions.
    """

    def __init__(self, dims: tuple[int, ...], degrees: list[tuple[int, ...]], count: int):
        self.sizes, self.count = tuple(m + 1 for m in dims), count
        self.terms = [multimonomials(row, self.sizes) for row in degrees]
        # From here on neither the equations nor their products have any cohomology that could hide a solution.
        top = tuple(sum(row[i] for row in degrees) - m + 1 for i, m in enumerate(dims))
        self.columns = multimonomials(top, self.sizes)
        self.places = [self._products(top, row, terms) for row, terms in zip(degrees, self.terms, strict=True)]
        one = (1,) * len(dims)
        self.shifted = self._products(top, one, multimonomials(one, self.sizes))
        #: Of each factor the columns of b x_a for all its coordinates a: (monomials b, m_i + 1) int.
        units = np.split(np.eye(sum(self.sizes), dtype=np.int64), np.cumsum(self.sizes)[:-1])
        each = np.eye(len(dims), dtype=np.int64)
        self.lines = [self._products(top, row, unit) for row, unit in zip(each, units, strict=True)]
        self.rows = None

    def _products(self, top: tuple[int, ...], degrees: Sequence[int], terms: np.ndarray) -> np.ndarray:
        """Columns of b t for all monomials b that lack these degrees of the top, and given terms t: (b, t) int."""
        return added(self.columns, multimonomials(tuple(np.subtract(top, degrees)), self.sizes), terms)

    @property
    def bytes(self) -> int:
        """Of one matrix."""
        return 16 * len(self.columns) * sum(map(len, self.places))

    def matrix(self, coefficients: list[np.ndarray]) -> np.ndarray:
        """Macaulay's: coefficients (B, T_j) of each equation to (B, rows, columns) complex."""
        found = []
        for each, places in zip(coefficients, self.places, strict=True):
            rows = np.zeros((len(each), len(places), len(self.columns)), np.complex128)
            np.put_along_axis(rows, np.broadcast_to(places, (len(each), *places.shape)), each[:, None], axis=2)
            found.append(rows)
        return np.concatenate(found, axis=1)

    def learn(self, coefficients: list[np.ndarray]) -> None:
        """Which rows are independent, from one system (1, T_j). Raises NumericalError where it has not `count` solutions."""
        matrix = self.matrix(coefficients)[0]
        matrix /= np.linalg.norm(matrix, axis=1)[:, None]
        size, order = linalg.qr(matrix.T, mode="r", pivoting=True)
        pivots = np.abs(np.diag(size))
        rank = int((pivots > _DEPENDENT * pivots[0]).sum())
        if rank != len(self.columns) - self.count:
            raise NumericalError(
                f"a random plane meets X in {len(self.columns) - rank} points and not in {self.count}: X is singular along "
                "them, or its equations depend on each other"
            )
        self.rows = np.sort(order[:rank])

    def solve(self, coefficients: list[np.ndarray], trial: int = 0) -> np.ndarray:
        """All solutions of B systems, roughly: (B, count, sum of m_i + 1) complex. trial: another one has other forms."""
        matrix = self.matrix(coefficients)[:, self.rows]
        frame = np.linalg.qr(matrix.conj().swapaxes(1, 2), mode="complete")[0]
        kernel = frame[:, :, len(self.rows) :]
        normal = (
            streams.same().standard_normal((2 * trial + 2, self.shifted.shape[1], 2)).view(np.complex128)[-2:, :, 0]
        )
        first, second = (self._times(form) @ kernel for form in normal)
        unit, upper = np.linalg.qr(second)
        ratio = np.linalg.solve(upper, unit.conj().swapaxes(1, 2) @ first)
        values = (kernel @ np.linalg.eig(ratio)[1]).swapaxes(1, 2)
        return np.concatenate([_largest(values[:, :, lines]) for lines in self.lines], axis=2)

    def _times(self, form: np.ndarray) -> np.ndarray:
        """A linear form as the matrix that multiplies by it: from all monomials to those one degree below."""
        matrix = np.zeros((len(self.shifted), len(self.columns)), np.complex128)
        np.put_along_axis(matrix, self.shifted, np.broadcast_to(form, self.shifted.shape), axis=1)
        return matrix


def _largest(values: np.ndarray) -> np.ndarray:
    """Of vectors (B, count, b, m), all multiples of one, the longest: (B, count, m)."""
    best = (values.real**2 + values.imag**2).sum(3).argmax(2)
    return np.take_along_axis(values, best[:, :, None, None], 2)[:, :, 0]
