"""Several polynomials at once, with their derivatives: each point by itself, so that no bit of it knows its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from mpiflow.geometry.polynomial import Polynomial


@dataclass(frozen=True)
class System:
    """p polynomials in the same C coordinates."""

    equations: tuple[Polynomial, ...]

    @property
    def coordinates(self) -> int:
        """C."""
        return self.equations[0].coordinates

    def value(self, z: np.ndarray) -> np.ndarray:
        """Q_j(z): (N, C) complex to (N, p) complex."""
        return self._at(z, 0)

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """dQ_j/dz_i: (N, C) complex to (N, p, C) complex."""
        return self._at(z, 1).reshape(len(z), len(self.equations), self.coordinates)

    def bends(self, z: np.ndarray) -> np.ndarray:
        """d2Q_j/dz_i dz_k: (N, C) complex to (N, p, C, C) complex."""
        size = self.coordinates
        upper = self._at(z, 2).reshape(len(z), len(self.equations), size, size)
        return upper + np.triu(upper, 1).swapaxes(2, 3)

    def _at(self, z: np.ndarray, order: int) -> np.ndarray:
        found = np.zeros((len(z), len(self.equations) * self.coordinates**order), np.complex128)
        _evaluated(np.ascontiguousarray(z, np.complex128), *self._programs[order], found)
        return found

    @cached_property
    def _programs(self) -> list[tuple[np.ndarray, ...]]:
        return [_program(self.equations, order) for order in range(3)]


def _program(equations: tuple[Polynomial, ...], order: int) -> tuple[np.ndarray, ...]:
    """What `_evaluated` needs for all derivatives of an order, of second ones above the diagonal and on it."""
    size, terms = equations[0].coordinates, []
    for j, each in enumerate(equations):
        for exponent, coefficient in zip(each.exponents.tolist(), each.coefficients.tolist(), strict=True):
            for slot, row, factor in _derivatives(exponent, order):
                terms.append((j * size**order + slot, row, coefficient * factor))
    terms.sort(key=lambda term: term[0])
    number, parents, factors = {(0,) * size: 0}, [], []
    for row in sorted({below for _, row, _ in terms for below in _chain(row)}, key=lambda row: (sum(row), row)):
        first = next(i for i, e in enumerate(row) if e)
        parents.append(number[_less(row, first)])
        factors.append(first)
        number[row] = len(number)
    slots, rows, coefficients = zip(*terms, strict=True) if terms else ((), (), ())
    integers = (parents, factors, slots, [number[row] for row in rows])
    return *(np.array(each, np.int64) for each in integers), np.array(coefficients, np.complex128)


def _derivatives(exponent: list[int], order: int):
    """(slot, exponents, factor) of the derivatives of a monomial that are not zero."""
    row, size = tuple(exponent), len(exponent)
    if order == 0:
        yield 0, row, 1
        return
    for i in range(size):
        if not row[i]:
            continue
        once = _less(row, i)
        if order == 1:
            yield i, once, row[i]
            continue
        for k in range(i, size):
            if once[k]:
                yield i * size + k, _less(once, k), row[i] * once[k]


def _less(row: tuple[int, ...], i: int) -> tuple[int, ...]:
    return *row[:i], row[i] - 1, *row[i + 1 :]


def _chain(row: tuple[int, ...]):
    """A monomial and those that it is made of, one coordinate at a time, without 1."""
    while any(row):
        yield row
        row = _less(row, next(i for i, e in enumerate(row) if e))


@njit(cache=True, error_model="numpy")
def _evaluated(z, parents, factors, slots, monomials, coefficients, found):
    """found[n, slots] += coefficients * monomials at point n; a monomial is a parent times a coordinate."""
    known = np.empty(len(parents) + 1, np.complex128)
    known[0] = 1.0
    for n in range(len(z)):
        for m in range(len(parents)):
            known[m + 1] = known[parents[m]] * z[n, factors[m]]
        for t in range(len(slots)):
            found[n, slots[t]] += coefficients[t] * known[monomials[t]]
