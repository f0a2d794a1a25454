"""All real functions of degree k on X that its symmetry leaves alone: a complete, independent, well-conditioned basis.

Degree by degree, products of a few generators with the basis so far are made orthonormal on a sample of X (Arnoldi's
recursion in several variables); where products do not suffice, the orbit of a monomial joins as a new generator. How
many functions there are is known exactly beforehand, so nothing is missing. Monomials themselves have condition number
1e14 at k = 20.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import linalg

from mpiflow import hermitian
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.geometry.polynomial import monomials
from mpiflow.kernels import balanced, jets
from mpiflow.kernels.costs import Costs, Work
from mpiflow.kernels.features import Draw, Features, within
from mpiflow.kernels.sections import Sections
from mpiflow.kernels.symmetrised import Products


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
    answers = frozenset({"hessians", "second", "balanced"})
    everywhere = True
    graded = True

    @classmethod
    def made(cls, surface: Domain, degree: int, draw: Draw) -> Invariants:
        """The complete invariants of a hypersurface of the Fermat or Dwork kind. Raises InputError for any other."""
        symmetry = surface.symmetry
        from mpiflow.kernels.growth import invariants

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

    def moments(self, z: np.ndarray, weight: np.ndarray, degree: int) -> np.ndarray:
        """Of all monomials of the degree, which depend on each other on X; z: |z| = 1."""
        return Sections(monomials(degree, z.shape[1])).moments(z, weight, degree)

    def balanced(self, surface: Domain, moments: np.ndarray, degree: int, draw: Draw) -> np.ndarray:
        """The inverse of the moments' average over the group, fitted on points, which it is exactly."""
        every, count = Sections(monomials(degree, surface.coordinates)), math.isqrt(Sections.count(surface, degree))
        h = balanced.inverse(surface.symmetry.averaged(hermitian.from_reals(moments), every.exponents), count)
        form = hermitian.to_reals(h.astype(np.complex128))
        constant, found = self.fitted(lambda z: every.potential(z, form), draw)
        return found / constant

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
            bending=16 * jets.triangle(d, 2) * (1.4 * p + 15),
            moments=8 * math.comb(degree + surface.coordinates - 1, degree) ** 2,
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
