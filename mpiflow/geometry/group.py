"""What leaves the equations of a complete intersection alone, found from them: permutations, phases and conjugation (theory 1).

Phases z_i -> exp(2 pi i x_i) z_i turn each equation into a multiple of itself where x is whole on all differences of its
exponents. A function z^alpha zbar^beta is invariant under all of them where alpha - beta lies in the lattice of
these differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import streams

if TYPE_CHECKING:
    from mpiflow.geometry.intersection import Intersection

#: Permutations that are tried at most: all of eight coordinates. Values of equations that count as the same.
_MOST, _SAME = 50_000, 1e-9


@dataclass(frozen=True)
class Group:
    """generators: (G, C) int, permutations z -> z[generator], which leave all equations alone but for order and factors.

    order: how many permutations they give. lattice: (R, C) int, in echelon form, of the differences of exponents.
    conjugation: whether it keeps the equations, too.
    """

    generators: np.ndarray
    order: int
    lattice: np.ndarray
    conjugation: bool

    def classes(self, exponents: np.ndarray) -> np.ndarray:
        """Numbers of monomials (M, C), equal where no phase tells them apart: (M,) int."""
        left = exponents.copy()
        for row in self.lattice:
            pivot = row.nonzero()[0][0]
            left -= (left[:, pivot] // row[pivot])[:, None] * row
        return np.unique(left, axis=0, return_inverse=True)[1].ravel()

    @cached_property
    def phases(self) -> int:
        """The number of phases, those left out that all points have; 0 where there are infinitely many."""
        return prod(int(row[row.nonzero()[0][0]]) for row in self.lattice)

    def __str__(self) -> str:
        also = " and conjugation" if self.conjugation else ""
        return f"{self.order} permutations, {self.phases} phases{also}"


def group_of(surface: Intersection) -> Group:
    """The group of a complete intersection; permutations of equal factors need equal t_i."""
    found, order = _generated(_permutations(surface))
    rows = [each.exponents[1:] - each.exponents[:1] for each in map(_present, surface.equations)]
    conjugate = _kept(surface, np.arange(surface.coordinates)[None], conjugate=True)
    return Group(found, order, _echelon(np.concatenate(rows)), bool(conjugate[0]))


def _present(equation):
    """An equation without the terms that are not there."""
    there = equation.coefficients != 0
    return type(equation)(equation.exponents[there], equation.coefficients[there])


def _echelon(rows: np.ndarray) -> np.ndarray:
    """A basis of the lattice that rows of integers span, each with a positive first entry further right: (R, C) int."""
    left, found = [list(map(int, row)) for row in np.unique(rows, axis=0)], []
    for column in range(rows.shape[1]):
        while len(there := [row for row in left if row[column]]) > 1:
            least = min(there, key=lambda row: abs(row[column]))
            for row in there:
                if row is not least:
                    times = row[column] // least[column]
                    row[:] = [a - times * b for a, b in zip(row, least, strict=True)]
        if there:
            left.remove(there[0])
            found.append([a if there[0][column] > 0 else -a for a in there[0]])
    return np.array(found, np.int64).reshape(-1, rows.shape[1])


def _permutations(surface: Intersection) -> np.ndarray:
    """All permutations that keep the equations: (G, C) int."""
    kept = [np.arange(surface.coordinates)[None]]
    # The same first powers of a coordinate everywhere: without them it takes no other's place.
    sign = _signatures(surface)
    for factors in permutations(range(len(surface.sizes))):
        pairs = list(zip(surface.sizes, surface.kaehler, strict=True))
        if any(pairs[a] != pairs[b] for a, b in enumerate(factors)):
            continue
        choices = [_matches(sign[surface.parts[a]], sign[surface.parts[b]]) for a, b in enumerate(factors)]
        if prod(map(len, choices)) > _MOST:
            choices = [each[:1] for each in choices]
        starts = [surface.parts[b].start for b in factors]
        every = [
            np.concatenate([s + np.array(own) for s, own in zip(starts, each, strict=True)])
            for each in product(*choices)
        ]
        if every:
            found = np.array(every)
            kept.append(found[_kept(surface, found)])
    return np.unique(np.concatenate(kept), axis=0)


def _signatures(surface: Intersection) -> np.ndarray:
    """Numbers of the coordinates, equal where no sum over terms tells them apart: (C,) int."""
    columns = [
        [sum(np.abs(e.coefficients) * e.exponents[:, i] ** k / np.abs(e.coefficients).max()) for k in (1, 2, 3)]
        for i in range(surface.coordinates)
        for e in surface.equations
    ]
    # Whichever equation it is: permutations may change their order.
    table = np.round(np.array(columns).reshape(surface.coordinates, len(surface.equations), 3), 9)
    rows = [tuple(sorted(map(tuple, each.tolist()))) for each in table]
    number = {row: n for n, row in enumerate(sorted(set(rows)))}
    return np.array([number[row] for row in rows])


def _matches(here: np.ndarray, there: np.ndarray) -> list[tuple[int, ...]]:
    """Permutations of a factor onto another that keep signatures; the shortest first, and none where they are too many."""
    if sorted(here) != sorted(there) or factorial(len(here)) > _MOST:
        return [tuple(range(len(here)))] if (here == there).all() else []
    return [own for own in permutations(range(len(here))) if (there[list(own)] == here).all()]


def _kept(surface: Intersection, every: np.ndarray, conjugate: bool = False) -> np.ndarray:
    """Which of permutations (K, C) keep the equations, by the ratios of their values at random points: (K,) bool."""
    z = streams.same().standard_normal((4, surface.coordinates, 2)).view(np.complex128)[..., 0]
    values, moved = surface.value(z), []
    for point in z:
        there = surface.value(point.conj()[every] if conjugate else point[every])
        moved.append(there.conj() if conjugate else there)
    ratios, found = values[1:] / values[:1], np.stack(moved[1:]) / moved[0]
    # found: (3, K, p) must be ratios (3, p) in some order.
    same = (np.abs(found[:, :, :, None] / ratios[:, None, None, :] - 1) < _SAME).all(0)
    return same.any(2).all(1) & same.any(1).all(1)


def _generated(every: np.ndarray) -> tuple[np.ndarray, int]:
    """Few permutations that give all of a group (K, C), and how many those are."""
    one = tuple(range(every.shape[1]))
    known, chosen = {one}, []
    for row in map(tuple, every.tolist()):
        if row in known:
            continue
        chosen.append(row)
        known, fresh = {one}, [one]
        while fresh:
            fresh = [new for old in fresh for g in chosen if (new := tuple(old[i] for i in g)) not in known]
            known.update(fresh)
    return np.array(chosen, np.int64).reshape(-1, every.shape[1]), len(known)
