"""All real functions of degree k on X that its symmetry leaves alone: a complete, independent, well-conditioned basis.

Degree by degree, products of a few generators with the basis so far are made orthonormal on a sample of X (Arnoldi's
recursion in several variables); where products do not suffice, the orbit of a monomial joins as a new generator. How
many functions there are is known exactly beforehand, so nothing is missing. Monomials themselves have condition number
1e14 at k = 20.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import linalg

from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.geometry.symmetry import Symmetry
from mpiflow.kernels import jets
from mpiflow.kernels.costs import Costs, Work
from mpiflow.kernels.features import Draw, Features, within
from mpiflow.kernels.symmetrised import Products

#: Relative size below which a pivot belongs to a dependent function: independent ones have .05, rounding reaches 1e-6.
_DEPENDENT = 1e-4


@dataclass(frozen=True)
class Invariants(Features):
    """kernel.features = "invariant": q_m, 0 < m <= P, of degree at most k, orthonormal on a sample of X and to q_0 = 1.

    generators: (G, n+1, 2) int, orbits of monomials. shift, scale: (G,) float64, x_g = (S_g - shift) / scale.
    degree, factor, parent: (P+1,) int and overlap: (P+1, P+1) float64, upper triangular:
    q_factor[m] q_parent[m] = sum_l q_l overlap[l, m], or x_g = sum_l q_l overlap[l, m] where factor[m] = -1 - g.
    """

    generators: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    degree: np.ndarray
    factor: np.ndarray
    parent: np.ndarray
    overlap: np.ndarray

    name = "invariant"
    group = "potential"
    everywhere = True
    graded = True

    @classmethod
    def made(cls, surface: Domain, degree: int, draw: Draw) -> Invariants:
        """The complete invariants of a hypersurface of the Fermat or Dwork kind. Raises InputError for any other."""
        symmetry = surface.symmetry
        return invariants(symmetry, degree, draw(_sample(symmetry.count(degree))))

    @classmethod
    def count(cls, surface: Domain, degree: int) -> int:
        """P, exactly."""
        return surface.symmetry.count(degree)

    @property
    def degrees(self) -> np.ndarray:
        """The k of each function: (P,) int."""
        return self.degree[1:]

    def symmetry(self, surface: Domain) -> str:
        """The group of the equations."""
        return str(surface.symmetry)

    def __len__(self) -> int:
        return len(self.degree) - 1

    @cached_property
    def products(self) -> Products:
        """The generators as symmetrised products."""
        return Products(self.generators)

    def values(self, z: np.ndarray) -> np.ndarray:
        """q_m: (N, n+1) complex points of X, any scale, to (P, N) float64."""
        return self._climb(self._generator_values(z)[:, None], 0)[1:, 0].real

    def jets(self, frame: Frame, order: int) -> np.ndarray:
        """Derivatives d^alpha dbar^beta of all features in normal coordinates: lower triangles (P, T, N) complex."""
        parts = []
        for rows, ambient in self.products.jets(frame.z, order):
            parts.append(jets.lower(jets.along(frame[rows], jets.full(ambient), order)))
        x = np.ascontiguousarray(np.concatenate(parts).transpose(1, 2, 0))
        x[:, 0] -= self.shift[:, None]
        return self._climb(x / self.scale[:, None, None], frame.vectors.shape[2])[1:]

    @classmethod
    def complaints(cls, arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
        """A function must be made of those of lower degrees alone, products before generators."""
        generators, _, scale, known, factor, parent, overlap = (arrays[name] for name in cls.names())
        basis, start = len(known), np.searchsorted(known, known)[1:]
        if generators.shape[2] != 2 or not within(generators, 0, degree) or (generators.sum(1) > degree).any():
            yield f"potential/generators are not of degree {degree} or less"
        if overlap.shape != (basis, basis) or not overlap.diagonal().all():
            yield "potential/overlap is no square matrix with a diagonal"
        if not scale.all():
            yield "potential/scale holds a zero"
        if not within(known[:1], 0, 0) or not within(known[1:], 1, degree) or (np.diff(known) < 0).any():
            yield f"potential/degree does not ascend from 0 to at most {degree}"
        if not (within(factor, -len(generators), basis - 1) and within(parent, 0, basis - 1)):
            yield "potential/factor, potential/parent point at functions that are not there"
        if (factor[1:] >= start).any() or (parent[1:] >= start).any():
            yield "potential/factor, potential/parent point at functions that are not known yet"
        if ((np.diff(factor[1:] >= 0) & (factor[2:] >= 0)) & (np.diff(known[1:]) == 0)).any():
            yield "potential/factor has generators before products"

    @classmethod
    def costs(cls, surface: Domain, degree: int, whole: bool = False) -> Costs:
        """Jets by a recursion that is a triangular product; the choice by the values of all on a sample."""
        costs = super().costs(surface, degree, whole)
        p, d = costs.features, surface.dimension
        jets_ = (d + 1) * (d + 2) // 2
        return replace(
            costs,
            preparing=3.65 * 16 * (p + 1) * jets_,
            prepare=replace(costs.prepare, flops=2 * jets_ * p**2),
            made=8 * 8 * p * _sample(p),
            making=Work(products=1000 * p**2),
            state=8 * (p + 1) * (p + 4),
        )

    def _generator_values(self, z: np.ndarray) -> np.ndarray:
        unit = z / np.linalg.norm(z, axis=1)[:, None]
        plain = np.empty((len(z), len(self.shift)))
        for rows, jet in self.products.jets(unit, 0):
            plain[rows] = jet[:, :, 0].real
        return np.ascontiguousarray(((plain - self.shift) / self.scale).T)

    def _climb(self, x: np.ndarray, d: int) -> np.ndarray:
        """The recursion: jets (G, T, N) complex of the generators to (P+1, T, N) of the basis."""
        q = np.empty((len(self.degree), *x.shape[1:]), np.complex128)
        q[0] = 0.0
        q[0, 0] = 1.0
        flat = q.reshape(len(q), -1).view(np.float64)
        for block in self._blocks:
            new = np.empty((block.stop - block.start, *x.shape[1:]), np.complex128)
            factor, parent = self.factor[block], self.parent[block]
            products = int((factor >= 0).sum())
            jets.product(q, factor[:products], parent[:products], d, new)
            new[products:] = x[-1 - factor[products:]]
            rest = (
                new.reshape(len(new), -1).view(np.float64) - self.overlap[: block.start, block].T @ flat[: block.start]
            )
            flat[block] = linalg.solve_triangular(self.overlap[block, block], rest, trans="T")
        return q

    @cached_property
    def _blocks(self) -> list[slice]:
        ends = np.flatnonzero(np.diff(self.degree, append=-1)) + 1
        return [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _sample(count: int) -> int:
    """Points of X that tell so many functions apart."""
    return int(1.5 * count) + 200


def invariants(symmetry: Symmetry, degree: int, z: np.ndarray) -> Invariants:
    """The complete invariants of degree at most k of a hypersurface.

    z: (M, n+1) complex points of X that decide on independence, at least 1.2 for each feature. Raises InputError for a
    degree without features, NumericalError where independence cannot be told in float64.
    """
    if degree < 2:
        raise InputError(f"kernel.degree = {degree}: no invariant but the constant has it; take 2 or more")
    if len(z) < 1.2 * symmetry.count(degree):
        raise ValueError(f"{len(z)} points cannot tell {symmetry.count(degree)} features apart")
    z = z / np.linalg.norm(z, axis=1)[:, None]
    none = np.zeros((0, symmetry.size, 2), np.int64)
    start = np.zeros(1, np.int64)
    basis = Invariants(none, np.zeros(0), np.zeros(0), start, start, start, np.eye(1))
    grown = _Growth(basis, np.ones((1, len(z))))
    for k in range(2, degree + 1):
        wanted = symmetry.count(k) - symmetry.count(k - 1)
        if wanted:
            grown = _extended(grown, symmetry, k, wanted, z)
    return grown.basis


@dataclass(frozen=True)
class _Growth:
    """A basis on its way and its values (P+1, M) on the sample."""

    basis: Invariants
    values: np.ndarray

    def products(self, degree: int) -> np.ndarray:
        """Pairs (generator, parent) of basis functions, (C, 2) int, whose degrees add up."""
        known = self.basis.degree
        generators = np.flatnonzero((self.basis.factor < 0) & (known < degree))
        pairs = [(g, m) for g in generators for m in np.flatnonzero(known == degree - known[g])]
        return np.array(pairs, np.int64).reshape(-1, 2)


def _extended(grown: _Growth, symmetry: Symmetry, degree: int, wanted: int, z: np.ndarray) -> _Growth:
    """The functions of one more degree: products as far as they go, then new generators."""
    pairs = grown.products(degree)
    products = grown.values[pairs[:, 0]] * grown.values[pairs[:, 1]]
    chosen, last, first_left = _pivots(_rest(grown.values, products), wanted)
    pairs, products = pairs[chosen], products[chosen]
    missing = wanted - len(chosen)
    if missing:
        orthonormal = np.vstack([grown.values, _orthonormal(_rest(grown.values, products))])
        grown, orbits, last, first_left = _with_generators(grown, symmetry, degree, missing, z, orthonormal)
        fresh = -np.arange(len(grown.basis.generators) - missing, len(grown.basis.generators)) - 1
        pairs = np.vstack([pairs, np.stack([fresh, np.zeros_like(fresh)], axis=1)])
        products = np.vstack([products, orbits])
    if not last > 3 * first_left:
        raise NumericalError(
            f"kernel.degree = {degree}: the {wanted} new invariants are not told from dependent ones (pivots "
            f"{last:.1e} and {first_left:.1e}); take a lower degree"
        )
    return _appended(grown, degree, pairs, products)


def _with_generators(grown: _Growth, symmetry: Symmetry, degree: int, missing: int, z: np.ndarray, orthonormal):
    """The orbits that products miss join as generators, those that lean least on what is known; also their values."""
    orbits = np.array(symmetry.candidates(degree))
    values = np.concatenate([jet[:, :, 0].real for _, jet in Products(orbits).jets(z, 0)]).T
    shift, scale = values.mean(1), values.std(1)
    values = (values - shift[:, None]) / scale[:, None]
    chosen, last, first_left = _largest(_rest(orthonormal, values), missing)
    basis = grown.basis
    basis = replace(
        basis,
        generators=np.concatenate([basis.generators, orbits[chosen]]),
        shift=np.append(basis.shift, shift[chosen]),
        scale=np.append(basis.scale, scale[chosen]),
    )
    return replace(grown, basis=basis), values[chosen], last, first_left


def _appended(grown: _Growth, degree: int, pairs: np.ndarray, values: np.ndarray) -> _Growth:
    basis, old, new = grown.basis, len(grown.values), len(pairs)
    rest = _rest(grown.values, values)
    q = _orthonormal(rest)
    overlap = np.zeros((old + new, old + new))
    overlap[:old, :old] = basis.overlap
    overlap[:old, old:] = _mean(grown.values, values)
    overlap[old:, old:] = np.triu(_mean(q, rest))
    basis = replace(
        basis,
        degree=np.append(basis.degree, np.full(new, degree)),
        factor=np.append(basis.factor, pairs[:, 0]),
        parent=np.append(basis.parent, pairs[:, 1]),
        overlap=overlap,
    )
    return _Growth(basis, np.vstack([grown.values, q]))


def _pivots(rows: np.ndarray, wanted: int) -> tuple[np.ndarray, float, float]:
    """The most independent rows (at most `wanted`, ascending), the last pivot taken and the first one left, in rms."""
    if not len(rows):
        return np.zeros(0, np.int64), 1.0, 0.0
    # Random points: a few more of them than functions tell independence as well as all.
    few = rows[:, : 2 * wanted + 100]
    r, order = linalg.qr(few.T, mode="r", pivoting=True)
    size = np.append(np.abs(np.diag(r)) / np.sqrt(few.shape[1]), 0.0)
    rank = min(wanted, int((size > _DEPENDENT * size[0]).sum()))
    return np.sort(order[:rank]), size[rank - 1], size[rank]


def _largest(rows: np.ndarray, wanted: int) -> tuple[np.ndarray, float, float]:
    """As `_pivots` for a few out of many: again and again the largest row, then what the others are without it."""
    chosen, sizes = [], []
    for _ in range(wanted + 1):
        norm = np.sqrt((rows**2).mean(1))
        chosen.append(int(norm.argmax()))
        sizes.append(float(norm.max()))
        unit = rows[chosen[-1]] / norm.max()
        rows = rows - np.outer(rows @ unit / len(unit), unit)
    return np.sort(chosen[:wanted]), sizes[-2], sizes[-1]


def _rest(basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows less their projection on orthonormal rows; twice, for one pass loses what the second restores."""
    for _ in range(2):
        rows = rows - _mean(basis, rows).T @ basis
    return rows


def _orthonormal(rows: np.ndarray) -> np.ndarray:
    q, r = linalg.qr(rows.T, mode="economic")
    return (q * (np.sign(np.diag(r)) * np.sqrt(len(q)))).T


def _mean(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return p @ q.T / p.shape[1]
