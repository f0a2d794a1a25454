"""Calabi-Yau complete intersections in products of projective spaces, with a Kaehler class (theory 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, factorial, prod

import numpy as np

from mpiflow.errors import InputError
from mpiflow.geometry import intersection_numbers, planes, product_charts, product_frames
from mpiflow.geometry.domain import Points, followed
from mpiflow.geometry.group import Group, group_of
from mpiflow.geometry.planes import Planes
from mpiflow.geometry.projective import norm2
from mpiflow.geometry.singular import dependent_slopes
from mpiflow.geometry.symmetry import Symmetry
from mpiflow.geometry.system import System

#: Factors or equations, and columns of the matrices that are solved with, at most.
_MOST, _COLUMNS = 8, 1500
#: Points of one chunk, about.
_CHUNK = 2000


@dataclass(frozen=True)
class Intersection(System):
    """X = {Q_1 = ... = Q_p = 0} in P^(n_1) x ... x P^(n_r), a `Domain`; charts as `product_charts` have them.

    equations: p polynomials in all C coordinates. sizes: (r,) the n_i + 1. kaehler: (r,) the t_i of K = sum t_i log|z_i|^2.
    Raises InputError where they are no connected Calabi-Yau manifold of dimension 1 to 4, or where a t_i is not positive.
    """

    sizes: tuple[int, ...]
    kaehler: tuple[float, ...]

    def __post_init__(self):
        for j, each in enumerate(self.equations):
            if len(several := {tuple(row) for row in _degrees(each.exponents, self.parts).tolist()}) != 1:
                raise InputError(
                    f"manifold.monomials: equation {j} has terms of several degrees, {sorted(several)}; give it one degree "
                    "in each factor"
                )
            if not np.isfinite(each.coefficients).all() or not each.coefficients.any():
                raise InputError(f"manifold.coefficients: those of equation {j} must be finite and not all zero")
        check(tuple(size - 1 for size in self.sizes), self.degrees, self.kaehler)

    @cached_property
    def parts(self) -> tuple[slice, ...]:
        """The coordinates of each factor."""
        ends = np.cumsum(self.sizes).tolist()
        return tuple(slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True))

    @cached_property
    def member(self) -> np.ndarray:
        """The factor of each coordinate: (C,) int."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def degrees(self) -> tuple[tuple[int, ...], ...]:
        """Of each equation in each factor: (p, r)."""
        return tuple(tuple(_degrees(each.exponents[:1], self.parts)[0].tolist()) for each in self.equations)

    @property
    def dimension(self) -> int:
        """Complex dimension d of X."""
        return sum(self.sizes) - len(self.sizes) - len(self.equations)

    @cached_property
    def numbers(self) -> dict[tuple[int, ...], int]:
        """Intersection numbers kappa_c by c."""
        return intersection_numbers.types(tuple(size - 1 for size in self.sizes), self.degrees)

    def functions(self, multidegree: tuple[int, ...]) -> int:
        """The number of independent polynomials of a multidegree on X, all of it at least 1."""
        return intersection_numbers.functions(tuple(size - 1 for size in self.sizes), self.degrees, multidegree)

    @property
    def volume(self) -> float:
        """The integral of J^d over X, J = sum t_i J_i."""
        return intersection_numbers.volume(self.numbers, self.kaehler)

    @property
    def points_a_cut(self) -> int:
        """Those of one section of each type."""
        return sum(self.numbers.values())

    @property
    def cuts(self) -> int:
        """Of one chunk of random numbers."""
        return max(1, _CHUNK // self.points_a_cut)

    @property
    def chart_count(self) -> int:
        """How many charts there are."""
        return product_charts.count(self)

    @cached_property
    def group(self) -> Group:
        """What leaves the equations alone: permutations, phases, conjugation."""
        return group_of(self)

    @property
    def symmetry(self) -> Symmetry:
        """Raises InputError: `group` is what is known."""
        raise InputError(
            'kernel.features = "invariant": they are of one equation in one projective space; take "invariant-sections" '
            'where permutations or phases leave the equations alone, and else "sections"'
        )

    @cached_property
    def plane_types(self) -> list[Planes]:
        """Random linear sections of each type."""
        return [Planes(self, c, count) for c, count in self.numbers.items()]

    def draw(self, generator: np.random.Generator, cuts: int, chart=None) -> Iterator[Points]:
        """The points of random linear sections of every type, cut by cut: weighted by the density of their mixture."""
        for z, own in planes.drawn(self, generator, cuts):
            wanted = slice(None) if chart is None else (own == np.asarray(chart)).all(1)
            yield self.described(z[wanted], own[wanted])

    def described(self, z: np.ndarray, chart: np.ndarray | None = None) -> Points:
        """Points with chart (the best one, where none is given), weight and |Omega|^2 from their coordinates alone."""
        chart = self.chart_of(z) if chart is None else chart
        omega2 = self.omega2(z, chart)
        return Points(z, chart, omega2 / self.density(z, chart), omega2)

    def density(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """Of the points that are drawn, in the chart's coordinates: (N,) float64; det g_t where they follow its volume.

        A cut has one section of each type c, of density d! D(g^c) / pi^d, D the mixed discriminant; d! D(g^c) is prod c_i!
        times the coefficient of s^c in det(sum_i s_i g_i).
        """
        total = np.zeros(len(z))
        for _, density in self._densities(z, chart):
            total += density
        return total * self.volume / (factorial(self.dimension) * self.points_a_cut)

    def _densities(self, z: np.ndarray, chart: np.ndarray) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """(c, a part of prod c_i! times that coefficient): one for each way to take the columns from the g_i."""
        g = np.stack(product_frames.factors(self, z, chart))
        for assigned in product(range(len(self.sizes)), repeat=self.dimension):
            c = tuple(assigned.count(i) for i in range(len(self.sizes)))
            if c in self.numbers:
                columns = np.stack([g[i][:, :, k] for k, i in enumerate(assigned)], axis=2)
                yield c, prod(map(factorial, c)) * np.linalg.det(columns).real

    def abroad(self, z: np.ndarray) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Charts of one equation after the other, and weights by the mixture of all types, then by each type alone."""
        chart = product_charts.one_by_one(self, z)
        return chart, self._weighings(z, chart)

    def _weighings(self, z: np.ndarray, chart: np.ndarray) -> Iterator[np.ndarray]:
        yield self.described(z, chart).weight
        found = dict.fromkeys(self.numbers, 0.0)
        for c, density in self._densities(z, chart):
            found[c] = found[c] + density
        for density in found.values():
            yield self.omega2(z, chart) * factorial(self.dimension) / (self.volume * density)

    def form(self, points: Points) -> np.ndarray:
        """|Omega|^2 / det g_t."""
        return followed(points, points.omega2 / np.linalg.det(self.reference(points.z, points.chart)).real)

    def off(self, z: np.ndarray) -> np.ndarray:
        """The largest |Q_j| over its power of each |z_i|: (N, C) complex, of any scale, to (N,) float64."""
        size = np.stack([np.sqrt(norm2(z[:, part])) for part in self.parts], axis=1)[:, None]
        return (np.abs(self.value(z)) / (size ** np.array(self.degrees)).prod(2)).max(1, initial=0.0)

    def embedded(self, z: np.ndarray) -> np.ndarray:
        """Segre's embedding: all products of a coordinate of each factor, (N, C) to (N, prod (n_i + 1)) complex."""
        found = np.ones((len(z), 1), np.complex128)
        for part in self.parts:
            found = (found[:, :, None] * z[:, None, part]).reshape(len(z), found.shape[1] * (part.stop - part.start))
        return found

    def singular_point(self) -> np.ndarray | None:
        """A point where the gradients of the equations depend on each other, or None where a search finds none."""
        return dependent_slopes(self)

    # Each has its formula, and its arguments after the surface, in the file that it is named by.
    scaled = product_charts.scaled
    chart_of = product_charts.chart_of
    second_chart_of = product_charts.second_chart_of
    in_chart = product_charts.in_chart
    displaced = product_charts.displaced
    shaken = product_charts.shaken
    jacobian = product_charts.jacobian
    transition = product_charts.transition
    omega2 = product_charts.omega2
    reference = product_frames.reference
    reference_slope = product_frames.slope
    frame = product_frames.frame


def _degrees(exponents: np.ndarray, parts: tuple[slice, ...]) -> np.ndarray:
    return np.stack([exponents[:, part].sum(1) for part in parts], axis=1)


def check(ambient: tuple[int, ...], degrees: tuple[tuple[int, ...], ...], kaehler: tuple[float, ...]) -> None:
    """Raises InputError where a configuration is no connected Calabi-Yau manifold, or its class no Kaehler class."""
    d = sum(ambient) - len(degrees)
    if max(len(ambient), len(degrees)) > _MOST:
        raise InputError(
            f"manifold: {len(ambient)} factors and {len(degrees)} equations; there may be {_MOST} of either at most"
        )
    if any(len(row) != len(ambient) for row in degrees) or len(kaehler) != len(ambient):
        raise InputError(
            f"manifold: {len(ambient)} factors in ambient = {list(ambient)}; each row of degrees, and kaehler, needs one "
            "number for each"
        )
    if not all(t > 0 for t in kaehler):
        raise InputError(f"manifold.kaehler = {list(kaehler)}: outside the Kaehler cone; all t_i must be above 0")
    if not 1 <= d <= 4:
        raise InputError(
            f"manifold: {len(degrees)} equations in {' x '.join(f'P^{n}' for n in ambient)} leave dimension {d}; it must be "
            "1, 2, 3 or 4"
        )
    given = f"manifold.degrees = {[list(row) for row in degrees]}"
    for i, n in enumerate(ambient):
        total = sum(row[i] for row in degrees)
        if total != n + 1:
            raise InputError(
                f"{given}: not Calabi-Yau: in P^{n}, factor {i}, they sum to {total}; they must sum to {n + 1}"
            )
    numbers = intersection_numbers.types(ambient, degrees)
    if not numbers:
        raise InputError(
            f"{given}: this configuration has no points: its equations have no common solution; change them"
        )
    if inside := intersection_numbers.disconnected(ambient, degrees):
        where = " x ".join(f"P^{ambient[i]}" for i in inside)
        raise InputError(
            f"{given}: the equations of {where} alone leave single points of it, so X falls apart into copies; "
            "remove that factor"
        )
    if (largest := max(_monomials(ambient, c) for c in numbers)) > _COLUMNS:
        raise InputError(
            f"{given}: to find all points of a random plane takes matrices of {largest} columns, and {_COLUMNS} are "
            "the most that is done; solve the equations of low degree, or leave out factors"
        )


def _monomials(ambient: tuple[int, ...], c: tuple[int, ...]) -> int:
    """Columns of Macaulay's matrix for planes of a type: see `resultants`."""
    return prod(comb(n + 2, n - k) for n, k in zip(ambient, c, strict=True) if n > k)
