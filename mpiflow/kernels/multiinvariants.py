"""Functions on a complete intersection that its group leaves alone: orbit sums of s_alpha sbar_beta / prod_i |z_i|^(2 m_i).

The group is found, not given (`geometry.group`). What depends on each other on X is left out by QR with pivoting on a sample,
which makes the functions that remain orthonormal there and to 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numba import njit
from scipy import linalg

from mpiflow import hermitian, streams
from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.geometry.polynomial import multimonomials
from mpiflow.kernels import balanced, jets
from mpiflow.kernels.costs import Costs
from mpiflow.kernels.features import Draw, Features, within
from mpiflow.kernels.multisections import MultiSections, multidegree
from mpiflow.kernels.orbits import averaged, orbits

#: Relative sizes of pivots: below the first a function depends on others, and none may lie between it and the second.
_DEPENDENT, _SURE = 1e-9, 1e-7


@dataclass(frozen=True)
class MultiInvariants(Features):
    """kernel.features = "invariant-sections": those of O(k t) x its conjugate, one for each independent orbit.

    exponents, sizes, power: of all monomials, as `MultiSections`. pairs: (K, 2) int, numbers of monomials. starts: (O + 1,)
    int, where the pairs of each orbit begin. turned: (O,) int, 1 for an imaginary part. mix: (O, P), shift: (P,)
    float64, F_m = sum_o S_o mix[o, m] - shift[m] of orbit sums S_o.
    """

    exponents: np.ndarray
    sizes: np.ndarray
    power: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    turned: np.ndarray
    mix: np.ndarray
    shift: np.ndarray

    name = "invariant-sections"
    answers = frozenset({"hessians", "second", "balanced"})

    @classmethod
    def made(cls, surface: Domain, degree: int, draw: Draw) -> MultiInvariants:
        """All invariants of a degree. Raises InputError where k t are no whole numbers, or where there is no invariant."""
        m = multidegree(surface, degree)
        exponents, sizes, power = multimonomials(m, surface.sizes), np.array(surface.sizes), np.array([degree])
        pairs, starts, turned = orbits(surface.group, exponents)
        every = cls(exponents, sizes, power, pairs, starts, turned, np.eye(len(turned)), np.zeros(len(turned)))
        values = every.values(draw(4 * len(turned) + 200))
        mean = values.mean(1)
        chosen, mix = _independent(values - mean[:, None], degree)
        keep = np.isin(np.repeat(np.arange(len(turned)), np.diff(starts)), chosen)
        starts = np.append(0, np.cumsum(np.diff(starts)[chosen]))
        return cls(exponents, sizes, power, pairs[keep], starts, turned[chosen], mix, mean[chosen] @ mix)

    @classmethod
    def count(cls, surface: Domain, degree: int) -> int:
        """P, by making them."""
        key = id(surface), degree
        if key not in _counts:

            def draw(count: int) -> np.ndarray:
                generator, cuts = streams.generator(0, streams.BASIS, 0), -(-count // surface.points_a_cut)
                return np.concatenate([points.z for points in surface.draw(generator, cuts)])[:count]

            _counts[key] = surface, len(cls.made(surface, degree, draw))
        return _counts[key][1]

    def symmetry(self, surface: Domain) -> str:
        """The group of the equations."""
        return str(surface.group)

    def __len__(self) -> int:
        return self.mix.shape[1]

    @cached_property
    def sections(self) -> MultiSections:
        """All monomials."""
        return MultiSections(self.exponents, self.sizes, self.power)

    def values(self, z: np.ndarray) -> np.ndarray:
        """F_m: (N, C) complex points of X, any scale, to (P, N) float64."""
        s = self.sections.ambient(self.sections.unit(z), 0)
        return self.mix.T @ self._sums(s)[:, 0].real - self.shift[:, None]

    def moments(self, z: np.ndarray, weight: np.ndarray, degree: int) -> np.ndarray:
        """Of all monomials, which depend on each other on X; z: |z_i| = 1."""
        return self.sections.moments(z, weight, degree)

    def balanced(self, surface: Domain, moments: np.ndarray, degree: int, draw: Draw) -> np.ndarray:
        """The inverse of the moments' average over the group, fitted on points, which it is exactly."""
        every, count = self.sections, math.isqrt(MultiSections.count(surface, degree))
        mean = averaged(surface.group, self.exponents, hermitian.from_reals(moments))
        form = hermitian.to_reals(balanced.inverse(mean, count).conj())
        constant, found = self.fitted(lambda z: every.potential(z, form), draw)
        return found / constant

    def jets(self, frame: Frame, order: int) -> np.ndarray:
        """Derivatives d^alpha dbar^beta of all F_m: lower triangles (P, T, N) complex."""
        found = self._second(frame) if order == 2 else self._first(frame, order)
        found[:, 0] -= self.shift[:, None]
        return found

    def jet(self, frame: Frame, coefficients: np.ndarray, order: int) -> np.ndarray:
        """Derivatives of sum_m c_m F_m, by its Hermitian form in the monomials: (N, C, C) complex."""
        jet = self.sections.jet(frame, self._form(coefficients), order)
        jet[:, 0, 0] -= coefficients @ self.shift
        return jet

    def potential(self, z: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """sum_m c_m F_m: (N, C) complex points of X, any scale, to (N,) float64."""
        return self.sections.potential(z, self._form(coefficients)) - coefficients @ self.shift

    def _first(self, frame: Frame, order: int) -> np.ndarray:
        found = self._sums(self.sections.prepare(frame) if order else self.sections.ambient(frame.z, 0))
        for a in range(1, 1 + (frame.vectors.shape[2] if order else 0)):
            found[:, a * (a + 1) // 2 + a] -= self.sections.degree * found[:, 0]
        return self._mixed(found)

    def _second(self, frame: Frame) -> np.ndarray:
        plain = self._mixed(self._sums(jets.chain(frame, 2) @ self.sections.ambient(frame.z, 2)))
        each = jets.leibniz(frame, jets.full(plain.transpose(2, 0, 1)), self.sections.multidegree, 2)
        return np.ascontiguousarray(jets.lower(each).transpose(1, 2, 0))

    def _mixed(self, sums: np.ndarray) -> np.ndarray:
        """Orbit sums (O, T, N) complex as functions, but for their shift: (P, T, N)."""
        flat = sums.reshape(len(sums), -1).view(np.float64)
        return (self.mix.T @ flat).view(np.complex128).reshape(len(self), *sums.shape[1:])

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Orbit sums of values (N, 1 + d, M) times their conjugates, real parts: lower triangles (O, T, N) complex."""
        each = np.ascontiguousarray(values.transpose(2, 1, 0))
        rows = each.shape[1]
        found = np.zeros((len(self.turned), rows * (rows + 1) // 2, len(values)), np.complex128)
        _added(each, self.pairs, self.starts, self.turned, found)
        return found

    def _form(self, coefficients: np.ndarray) -> np.ndarray:
        """h of all monomials as reals."""
        h = np.zeros((len(self.exponents),) * 2, np.complex128)
        weight = (self.mix @ coefficients) * np.where(self.turned, -1j, 1)
        np.add.at(h, tuple(self.pairs.T), np.repeat(weight, np.diff(self.starts)))
        return hermitian.to_reals((h + h.conj().T) / 2)

    @classmethod
    def complaints(cls, arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
        """Of the sections, and indices that point at what is not there."""
        yield from MultiSections.complaints(arrays, degree)
        names = ("exponents", "pairs", "starts", "turned", "mix", "shift")
        exponents, pairs, starts, turned, mix, shift = (arrays[f"features/{name}"] for name in names)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not within(pairs, 0, len(exponents) - 1):
            yield "features/pairs point at monomials that are not there"
        if len(starts) != len(turned) + 1 or starts[0] != 0 or starts[-1] != len(pairs) or (np.diff(starts) < 1).any():
            yield "features/starts do not part features/pairs"
        if mix.shape != (len(turned), len(shift)) or not within(turned, 0, 1):
            yield "features/mix, features/turned, features/shift are not of as many orbits and functions"

    @classmethod
    def costs(cls, surface: Domain, degree: int, whole: bool = False) -> Costs:
        """As of any features, with the moments of all monomials."""
        every = multimonomials(multidegree(surface, degree), surface.sizes)
        costs, size = super().costs(surface, degree, whole), math.comb(surface.coordinates + 2, 2)
        return replace(costs, moments=8 * len(every) ** 2, bending=2 * costs.bending + 2.6 * 16 * len(every) * size)


#: Manifolds and numbers of features, by manifold and degree: a plan asks for the same one a dozen times. What is kept here no
#: other manifold takes the id of.
_counts: dict[tuple[int, int], tuple[Domain, int]] = {}


def _independent(values: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (O, n) that depend on no others, and what makes them orthonormal: numbers ascending (P,), (P, P)."""
    scale = np.sqrt((values**2).mean(1))
    there = np.flatnonzero(scale > _DEPENDENT * scale.max(initial=0))
    if not len(there):
        raise InputError(f"kernel.degree = {degree}: no function but the constant is invariant; take a higher one")
    size, order = linalg.qr((values[there] / scale[there, None]).T, mode="r", pivoting=True)
    pivots = np.abs(np.diag(size)) / np.abs(size[0, 0])
    if ((pivots > _DEPENDENT) & (pivots < _SURE)).any():
        raise NumericalError(
            f"kernel.degree = {degree}: invariants are not told from dependent ones (a pivot of "
            f"{pivots[pivots > _DEPENDENT].min():.1e}); take a lower degree"
        )
    chosen = np.sort(there[order[: int((pivots > _DEPENDENT).sum())]])
    upper = linalg.qr(values[chosen].T, mode="r")[0][: len(chosen)] / np.sqrt(values.shape[1])
    return chosen, linalg.solve_triangular(upper, np.eye(len(chosen)))


@njit(cache=True, error_model="numpy")
def _added(values, pairs, starts, turned, found):
    """found[o, (t, u)] += Hermitian part of values[alpha, t] conj(values[beta, u]) over the pairs of an orbit, t >= u."""
    rows = values.shape[1]
    for orbit in range(len(turned)):
        for pair in range(starts[orbit], starts[orbit + 1]):
            a, b = values[pairs[pair, 0]], values[pairs[pair, 1]]
            place = 0
            for t in range(rows):
                for u in range(t + 1):
                    for n in range(values.shape[2]):
                        low, high = a[t, n] * b[u, n].conjugate(), (a[u, n] * b[t, n].conjugate()).conjugate()
                        if turned[orbit]:
                            low, high = low * -1j, high * 1j
                        found[orbit, place, n] += (low + high) / 2
                    place += 1
