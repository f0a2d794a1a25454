"""Monomials on X: their norms, and all of a degree as those that are no multiples of Q's leading one (theory 4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.geometry.polynomial import Polynomial, added, monomials, places

if TYPE_CHECKING:
    from mpiflow.kernels.sections import Sections


def reduction(surface: Polynomial, features: Sections) -> np.ndarray:
    """T with m = T s on X, for all monomials m of the degree, normalised as the sections s are: (M, N_k) complex."""
    every = monomials(features.degree, surface.coordinates)
    kept = places(every, features.exponents)
    left = np.setdiff1d(np.arange(len(every)), kept)
    found = np.zeros((len(every), len(kept)), np.complex128)
    found[kept] = np.eye(len(kept))
    if len(left):
        # One for each monomial to be expressed: all vanish on X.
        more = monomials(features.degree - surface.degree, surface.coordinates)
        zero = multiples(surface, more, every)
        zero /= norms(every, features.factors)
        found[left] = -np.linalg.solve(zero[:, left], zero[:, kept])
    return found


def multiples(q: Polynomial, more: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Q times each of some monomials (R, C), in all monomials (M, C) of its multidegree: (R, M) complex."""
    found = np.zeros((len(more), len(every)), np.complex128)
    np.add.at(found, (np.arange(len(more))[:, None], added(every, more, q.exponents)), q.coefficients)
    return found


def parted(array: np.ndarray, factors: np.ndarray) -> list[np.ndarray]:
    """The coordinates of each factor, which are along the last axis."""
    return np.split(array, np.cumsum(factors)[:-1], axis=-1)


def norms(exponents: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """prod_i sqrt(m_i! / prod alpha!) of each row: (M, C) to (M,)."""
    return math.prod(_norms(part) for part in parted(exponents, factors))


def _norms(exponents: np.ndarray) -> np.ndarray:
    factorials = [math.prod(map(math.factorial, row)) for row in exponents.tolist()]
    return np.sqrt(math.factorial(int(exponents[0].sum())) / np.array(factorials, float))
