"""Products of Hermitian forms in monomials: (m^dagger a m)(m^dagger b m), exactly, of which ladders make their starts."""

from __future__ import annotations

import numpy as np

from mpiflow.geometry.polynomial import added, multimonomials, places
from mpiflow.kernels.reduction import norms
from mpiflow.kernels.sections import Sections


def lifted(
    onto: np.ndarray, below: Sections, above: Sections, coefficients: np.ndarray, power: int, constant: bool
) -> np.ndarray:
    """h' (N', N') with s'^dagger h' s' + c |z|^(2m') = (s^dagger h s + c |z|^(2m))^power |z|^(2r) on X, r what degrees lack.

    |z|^(2m) is prod_i |z_i|^(2 m_i). onto: (M, N') complex, `Sections.reduction` above. coefficients: h (N, N) complex, in
    the sections below. c: 1 where constant, else 0.
    """
    factors, step = tuple(below.factors), below.multidegree
    every = multimonomials(step, factors)
    kept = places(every, below.exponents)
    form = constant * np.eye(len(every), dtype=np.complex128)
    form[np.ix_(kept, kept)] += coefficients
    degree, found = step, form
    for _ in range(power - 1):
        found, degree = product(found, degree, form, step, factors), tuple(np.add(degree, step))
    rest = tuple(np.subtract(above.multidegree, degree))
    if any(rest):
        found = product(found, degree, np.eye(len(multimonomials(rest, factors))), rest, factors)
    return onto.T @ (found - constant * np.eye(len(found))) @ onto.conj()


def product(a: np.ndarray, degree: tuple, b: np.ndarray, more: tuple, factors: tuple) -> np.ndarray:
    """The form of multidegree degree + more that is the product of a and b of these, in normalised monomials."""
    left, right, both = (multimonomials(m, factors) for m in (degree, more, tuple(np.add(degree, more))))
    place = added(both, right, left)
    size = np.array(factors)
    scale = norms(right, size)[:, None] * norms(left, size) / norms(both, size)[place]
    found = np.zeros((len(both), len(both)), np.complex128)
    for row, weight, entries in zip(place, scale, b, strict=True):
        for column, other, entry in zip(place, scale, entries, strict=True):
            if entry:
                # No sum of one exponent with different others is there twice: rows of `place` hold no index twice.
                found[np.ix_(row, column)] += entry * (weight[:, None] * a * other)
    return found
