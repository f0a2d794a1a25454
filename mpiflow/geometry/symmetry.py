"""The symmetry of hypersurfaces like Fermat's and Dwork's, and the orbits of z^alpha zbar^beta under it.

The group permutes the n+1 coordinates, multiplies them by phases that leave Q alone, and conjugates. A monomial
z^alpha zbar^beta is a multiset of n+1 labels (alpha_i, beta_i); the phases, of some order, allow it if all
alpha_i - beta_i are congruent modulo that order to one class: 0 alone if each coordinate may turn by itself, as in
Fermat's, any class if the phases must multiply to one, as in Dwork's. There the order is n+1; 1 leaves no phases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np

from mpiflow.errors import InputError
from mpiflow.geometry.polynomial import Polynomial

Label = tuple[int, int]
Orbit = tuple[Label, ...]


@dataclass(frozen=True)
class Symmetry:
    """Permutations and conjugation of `size` = n+1 coordinates, and phases of an order that allow the given classes."""

    size: int
    order: int
    classes: tuple[int, ...]

    def __str__(self) -> str:
        # Those that all points have are left out, as in `group`.
        phases = self.order ** (self.size - len(self.classes[:2]))
        return f"{factorial(self.size)} permutations, {phases} phases and conjugation"

    def count(self, degree: int) -> int:
        """Number of independent invariant functions of bidegree (k, k) on X, the constant left out.

        Q and Qbar are a regular sequence of invariants, so the quotient is counted by inclusion and exclusion; the swap
        of the two by conjugation gives the trace its sign.
        """
        orbits = sum(_orbits(self.size, self.order, c, degree) for c in self.classes)
        real = sum(_real_orbits(self.size, self.order, c, degree) for c in self.classes)
        before = degree - self.size
        dimension = orbits[degree, degree]
        trace = real[degree]
        if before >= 0:
            dimension += orbits[before, before] - orbits[degree, before] - orbits[before, degree]
            trace -= real[before]
        return int(dimension + trace) // 2 - 1

    def candidates(self, degree: int) -> list[Orbit]:
        """All orbits of bidegree (k, k), one of each conjugate pair; on X they depend on each other."""
        found = {max(orbit, _conjugate(orbit), key=_order) for orbit in self._orbits_of(degree)}
        return sorted(found, key=_order)

    def averaged(self, form: np.ndarray, exponents: np.ndarray) -> np.ndarray:
        """A Hermitian form in all monomials z^alpha of a degree, averaged over the group: (M, M) complex to (M, M) float64.

        exponents: (M, n+1) int; what the monomials are normalised by is the same for any order of the coordinates.
        """
        apart = (exponents[:, None] - exponents) % self.order
        left, right = np.nonzero((apart == apart[..., :1]).all(2) & np.isin(apart[..., 0], self.classes))
        labels = np.sort(exponents[left] * (exponents.max() + 1) + exponents[right], axis=1)
        orbit = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
        sums = np.bincount(orbit, form[left, right].real) / np.bincount(orbit)
        found = np.zeros(form.shape)
        found[left, right] = sums[orbit]
        return found

    def _orbits_of(self, degree: int) -> Iterator[Orbit]:
        for residue in self.classes:
            square = ((a, b) for a in range(degree + 1) for b in range(degree + 1))
            allowed = ((a, b) for a, b in square if (a - b - residue) % self.order == 0)
            labels = sorted(allowed, key=_rank, reverse=True)
            yield from _multisets(labels, 0, self.size, degree, degree)


def symmetry_of(surface: Polynomial) -> Symmetry:
    """The symmetry of a hypersurface, from its monomials. Raises InputError where permutations or conjugation change it."""
    size, terms = surface.coordinates, {}
    for row, coefficient in zip(map(tuple, surface.exponents.tolist()), surface.coefficients, strict=True):
        terms[row] = terms.get(row, 0) + coefficient
    if any(abs(c.imag) > 0 for c in terms.values()):
        _refuse("its coefficients are not real, so conjugation does not preserve it")
    for i in range(size - 1):
        # Neighbours change places: these generate all permutations.
        if any(terms.get((*e[:i], e[i + 1], e[i], *e[i + 2 :]), 0) != c for e, c in terms.items()):
            _refuse("it changes under permutations of the coordinates")
    exponents = np.array(list(terms))
    alone, together = np.gcd.reduce(exponents, axis=None), np.gcd.reduce(exponents - exponents[:, :1], axis=None)
    if alone**size >= together ** (size - 1):
        return Symmetry(size, int(alone), (0,))
    return Symmetry(size, int(together), tuple(range(together)))


def _refuse(why: str) -> None:
    raise InputError(
        f'kernel.features = "invariant": this hypersurface is less symmetric: {why}; take kernel.features = "generic"'
    )


def _rank(label: Label) -> tuple[int, int]:
    return label[0] + label[1], label[0]


def _order(orbit: Orbit) -> list[tuple[int, int]]:
    return [_rank(label) for label in orbit]


def _conjugate(orbit: Orbit) -> Orbit:
    return tuple(sorted(((b, a) for a, b in orbit), key=_rank, reverse=True))


def _multisets(labels: list[Label], start: int, size: int, a: int, b: int) -> Iterator[Orbit]:
    """Descending multisets of labels[start:] with sums (a, b)."""
    if size == 0:
        if a == b == 0:
            yield ()
        return
    for place in range(start, len(labels)):
        label = labels[place]
        if sum(label) * size < a + b:
            return
        if label[0] <= a and label[1] <= b:
            for rest in _multisets(labels, place, size - 1, a - label[0], b - label[1]):
                yield (label, *rest)


def _orbits(size: int, order: int, residue: int, degree: int) -> np.ndarray:
    """Numbers (k+1, k+1) of multisets of `size` labels of a class with sums (a, b): 1 / prod (1 - y p^alpha q^beta)."""
    table = np.zeros((size + 1, degree + 1, degree + 1), np.int64)
    table[0, 0, 0] = 1
    for a in range(degree + 1):
        for b in range(degree + 1):
            if (a - b - residue) % order == 0:
                for count in range(1, size + 1):
                    table[count, a:, b:] += table[count - 1, : degree + 1 - a, : degree + 1 - b]
    return table[size]


def _real_orbits(size: int, order: int, residue: int, degree: int) -> np.ndarray:
    """Numbers (k+1,) of those multisets with sums (k, k) that conjugation maps to themselves."""
    table = np.zeros((size + 1, degree + 1), np.int64)
    table[0, 0] = 1
    if (2 * residue) % order:
        return table[size]
    for a in range(degree + 1):
        for b in range(a + 1):
            # A label alpha = beta stands alone, any other brings its conjugate along.
            labels, cost = (1, a) if a == b else (2, a + b)
            if (a - b - residue) % order == 0 and cost <= degree:
                for count in range(labels, size + 1):
                    table[count, cost:] += table[count - labels, : degree + 1 - cost]
    return table[size]
