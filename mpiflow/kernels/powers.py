"""Products of Hermitian forms in monomials: (m^dagger a m)(m^dagger b m), exactly, of which ladders make their starts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.geometry.polynomial import Polynomial, monomials, multimonomials
from mpiflow.kernels.multisections import MultiSections, multinorms, places
from mpiflow.kernels.sections import Sections, norms, reduction


def lifted(
    surface: Polynomial, below: Sections, above: Sections, coefficients: np.ndarray, power: int, constant: bool
) -> np.ndarray:
    """h' (N', N') with s'^dagger h' s' + c |z|^(2k') = (s^dagger h s + c |z|^(2k))^power |z|^(2r) on X, r what degrees lack.

    coefficients: h (N, N) complex, in the sections below. c: 1 where constant, else 0.
    """
    k, size = below.degree, below.exponents.shape[1]
    number = {tuple(row): m for m, row in enumerate(monomials(k, size).tolist())}
    kept = [number[tuple(row)] for row in below.exponents.tolist()]
    form = constant * np.eye(len(number), dtype=np.complex128)
    form[np.ix_(kept, kept)] += coefficients
    degree, found = k, form
    for _ in range(power - 1):
        found, degree = product(found, degree, form, k, size), degree + k
    while degree < above.degree:
        found, degree = product(found, degree, np.eye(size), 1, size), degree + 1
    onto = reduction(surface, above)
    return onto.T @ (found - constant * np.eye(len(found))) @ onto.conj()


def multilifted(
    onto: np.ndarray, below: MultiSections, above: MultiSections, coefficients: np.ndarray, power: int, constant: bool
) -> np.ndarray:
    """As `lifted`, of sections of a product of projective spaces; onto: (M, N') complex, `multisections.reduction` above."""
    sizes, step = tuple(below.sizes), below.multidegree
    every = multimonomials(step, sizes)
    kept = places(every, below.exponents)
    form = constant * np.eye(len(every), dtype=np.complex128)
    form[np.ix_(kept, kept)] += coefficients
    degree, found = step, form
    for _ in range(power - 1):
        found, degree = _times(found, degree, form, step, sizes), tuple(np.add(degree, step))
    rest = tuple(np.subtract(above.multidegree, degree))
    if any(rest):
        found = _times(found, degree, np.eye(len(multimonomials(rest, sizes))), rest, sizes)
    return onto.T @ (found - constant * np.eye(len(found))) @ onto.conj()


def _times(a: np.ndarray, degree: tuple, b: np.ndarray, more: tuple, sizes: tuple) -> np.ndarray:
    """The product of forms of two multidegrees."""
    both = tuple(np.add(degree, more))
    left, right, every = (multimonomials(m, sizes) for m in (degree, more, both))
    return _product(a, left, b, right, every, lambda rows: multinorms(rows, np.array(sizes)))


def product(a: np.ndarray, k: int, b: np.ndarray, more: int, size: int) -> np.ndarray:
    """The form of degree k + more that is the product of a of degree k and b of degree more, in normalised monomials."""
    return _product(a, monomials(k, size), b, monomials(more, size), monomials(k + more, size), norms)


def _product(a, left: np.ndarray, b, right: np.ndarray, both: np.ndarray, norms: Callable) -> np.ndarray:
    number = {tuple(row): m for m, row in enumerate(both.tolist())}
    place = np.array([[number[tuple(row)] for row in (left + one).tolist()] for one in right])
    scale = norms(right)[:, None] * norms(left) / norms(both)[place]
    found = np.zeros((len(both), len(both)), np.complex128)
    for row, weight, entries in zip(place, scale, b, strict=True):
        for column, other, entry in zip(place, scale, entries, strict=True):
            if entry:
                # No sum of one exponent with different others is there twice: rows of `place` hold no index twice.
                found[np.ix_(row, column)] += entry * (weight[:, None] * a * other)
    return found
