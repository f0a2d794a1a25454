"""Polynomials in homogeneous coordinates, as monomials and coefficients, with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Polynomial:
    """Q = sum_t coefficients[t] prod_i z_i^exponents[t, i]: exponents (T, C) int, coefficients (T,) complex."""

    exponents: np.ndarray
    coefficients: np.ndarray

    @property
    def coordinates(self) -> int:
        """The number C of the z_i."""
        return self.exponents.shape[1]

    @property
    def degree(self) -> int:
        """The degree of Q."""
        return int(self.exponents[0].sum())

    def value(self, z: np.ndarray) -> np.ndarray:
        """Q(z): (N, C) complex to (N,) complex."""
        return self._sum(self._powers(z), self.exponents, self.coefficients)

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """dQ/dz_i: (N, C) complex to (N, C) complex."""
        powers = self._powers(z)
        columns = [self._derivative(powers, (i,)) for i in range(z.shape[1])]
        return np.stack(columns, axis=1)

    def hessian(self, z: np.ndarray) -> np.ndarray:
        """d2Q/dz_i dz_j: (N, C) complex to (N, C, C) complex."""
        powers, n = self._powers(z), z.shape[1]
        h = np.empty((len(z), n, n), np.complex128)
        for i in range(n):
            for j in range(i, n):
                h[:, i, j] = h[:, j, i] = self._derivative(powers, (i, j))
        return h

    def _powers(self, z: np.ndarray) -> np.ndarray:
        powers = np.ones((self.degree + 1, *z.shape), np.complex128)
        for k in range(1, len(powers)):
            powers[k] = powers[k - 1] * z
        return powers

    def _derivative(self, powers: np.ndarray, by: tuple[int, ...]) -> np.ndarray:
        exponents, factors = self.exponents.copy(), self.coefficients.copy()
        for i in by:
            factors = factors * exponents[:, i]
            exponents[:, i] = np.maximum(exponents[:, i] - 1, 0)
        return self._sum(powers, exponents[factors != 0], factors[factors != 0])

    @staticmethod
    def _sum(powers: np.ndarray, exponents: np.ndarray, factors: np.ndarray) -> np.ndarray:
        total = np.zeros(powers.shape[1], np.complex128)
        for row, factor in zip(exponents.tolist(), factors, strict=True):
            term = np.full(powers.shape[1], factor)
            for i, power in enumerate(row):
                if power:
                    term *= powers[power, :, i]
            total += term
        return total


def monomials(degree: int, coordinates: int) -> np.ndarray:
    """Exponents of all monomials of a degree in so many coordinates, in descending order: (M, C) int."""
    return np.array(list(_compositions(degree, coordinates)))


def multimonomials(degrees: tuple[int, ...], sizes: tuple[int, ...]) -> np.ndarray:
    """Exponents of all monomials of a multidegree in factors of so many coordinates, those of the last one fastest: (M, C)."""
    found = np.zeros((1, 0), np.int64)
    for degree, size in zip(degrees, sizes, strict=True):
        more = monomials(degree, size) if degree >= 0 else np.zeros((0, size), np.int64)
        found = np.concatenate([np.repeat(found, len(more), axis=0), np.tile(more, (len(found), 1))], axis=1)
    return found


def places(every: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Where rows of integers are among all of them: (M, C) and (N, C) to (N,) int."""
    number = {tuple(row): m for m, row in enumerate(every.tolist())}
    return np.array([number[tuple(row)] for row in some.tolist()], np.int64)


def added(every: np.ndarray, some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Where the sums of two rows are among all of them: (M, C), (N, C), (R, C) to (N, R) int."""
    sums = (some[:, None] + others).reshape(-1, every.shape[1])
    return places(every, sums).reshape(len(some), len(others))


def _compositions(total: int, parts: int):
    """All tuples of `parts` integers >= 0 with a sum, in descending lexicographic order."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)
