"""Generic features with no symmetry: phi = sum h_(alpha beta) s_alpha sbar_beta / |z|^(2k), h Hermitian.

Never the N_k^2 features at a point, but h contracted with the N_k sections modulo Q and their derivatives: in a frame
orthogonal to z with |z| = 1, d_a dbar_b phi = D_a h D_b^dagger - k delta_ab S h S^dagger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import mul
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import backend, hermitian
from mpiflow.backend import HOST, Device
from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.geometry.polynomial import Polynomial, monomials
from mpiflow.kernels import balanced, contraction, jets, reduction, triangle
from mpiflow.kernels.costs import Costs, Work
from mpiflow.kernels.features import Draw, Features, within
from mpiflow.kernels.reduction import norms, parted

if TYPE_CHECKING:
    from mpiflow.ansatz import Ansatz


@dataclass(frozen=True)
class Sections(Features):
    """kernel.features = "generic": monomials s_alpha = sqrt(k! / prod alpha_i!) z^alpha of degree k.

    exponents: (N_k, n+1) int. A Hermitian h (N_k, N_k) is known as its N_k^2 reals (`mpiflow.hermitian`).
    """

    exponents: np.ndarray

    name = "generic"
    group = "potential"
    answers = frozenset({"balanced"})

    @classmethod
    def made(cls, surface: Domain, degree: int, draw: Draw) -> Sections:
        """As the function `sections`."""
        return sections(surface, degree)

    @classmethod
    def count(cls, surface: Domain, degree: int) -> int:
        """N_k^2: all monomials of the degree without the multiples of Q's leading one."""
        _one(surface)
        n, rest = surface.coordinates - 1, degree - surface.degree
        return (math.comb(degree + n, n) - (math.comb(rest + n, n) if rest >= 0 else 0)) ** 2

    def __len__(self) -> int:
        return len(self.exponents) ** 2

    def inverse(self, surface: Domain) -> Callable[[np.ndarray], np.ndarray]:
        """That of the round metrics; on P^n the class is 1."""
        from mpiflow.kernels import casimir

        return casimir.inverse(self, getattr(surface, "kaehler", (1.0,)), self.reduction(surface))

    def smoothness(self) -> Callable[[np.ndarray], np.ndarray]:
        """The square of the round Laplacian."""
        from mpiflow.kernels import casimir

        return casimir.smoothness(self)

    def moments(self, z: np.ndarray, weight: np.ndarray, degree: int) -> np.ndarray:
        """Of the sections themselves: z as frames have it."""
        s = self.ambient(z, 0)[:, 0]
        return hermitian.to_reals((s * weight[:, None]).T @ s.conj())

    def balanced(self, surface: Domain, moments: np.ndarray, degree: int, draw: Draw) -> np.ndarray:
        """The inverse less what |z|^(2k) is."""
        h, onto = balanced.inverse(hermitian.from_reals(moments), len(self.exponents)).conj(), self.reduction(surface)
        return hermitian.to_reals(h - onto.T @ onto.conj())

    def reduction(self, surface: Domain) -> np.ndarray:
        """As the function."""
        return reduction.reduction(surface, self)

    @property
    def degree(self) -> int:
        """The k of s_alpha."""
        return int(self.exponents[0].sum())

    @property
    def factors(self) -> np.ndarray:
        """Coordinates of each projective space around X: (r,) int."""
        return np.array([self.exponents.shape[1]])

    @property
    def multidegree(self) -> tuple[int, ...]:
        """In the coordinates of each of them."""
        return tuple(int(part.sum()) for part in parted(self.exponents[0], self.factors))

    @property
    def norms(self) -> np.ndarray:
        """Of each monomial, such that all of a multidegree have the sum of squares prod_i |z_i|^(2 m_i): (N_k,)."""
        return norms(self.exponents, self.factors)

    def unit(self, z: np.ndarray) -> np.ndarray:
        """Points with |z_i| = 1 in each factor: (N, C) complex."""
        parts = parted(z, self.factors)
        return np.concatenate([part / np.linalg.norm(part, axis=1)[:, None] for part in parts], axis=1)

    def potential(self, z: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """phi: (N, C) complex points of X, any scale, to (N,) float64."""
        s = self.ambient(self.unit(z), 0)[:, 0]
        return np.einsum("xs,xs->x", s @ hermitian.from_reals(coefficients), s.conj()).real

    def jet(self, frame: Frame, coefficients: np.ndarray, order: int) -> np.ndarray:
        """Derivatives d^alpha dbar^beta of phi along X: (N, C, C) complex."""
        s = self.ambient(frame.z, order)
        whole = s @ hermitian.from_reals(coefficients) @ s.conj().transpose(0, 2, 1)
        return jets.weighted(frame, whole, self.multidegree, order)

    def lifted(
        self, surface: Domain, below: Sections, coefficients: np.ndarray, ansatz: Ansatz, k: int, to: int, draw: Draw
    ) -> np.ndarray:
        """As of any features, by products of h with itself and with prod_i |z_i|^(2 r_i) in place of a fit: (P,) float64."""
        from mpiflow.kernels import powers

        power = to // k if ansatz.powers else 1
        h = hermitian.from_reals(coefficients)
        return hermitian.to_reals(powers.lifted(self.reduction(surface), below, self, h, power, ansatz.powers))

    def bytes(self, points: int, d: int, whole: bool = False) -> int:
        """Memory of what `prepare` returns."""
        return 16 * len(self.exponents) * points * (1 + d)

    def prepare(self, frame: Frame, whole: bool = False, device: Device = HOST):
        """S and its derivatives D_a along the frame: (N, 1 + d, N_k) complex on the device."""
        xp, ambient = device.xp, self.ambient(device.put(frame.z), 1, device)
        along = xp.matmul(backend.swapped(xp, device.put(frame.vectors)), ambient[:, 1:, :])
        return backend.joined(xp, [ambient[:, :1, :], along], axis=1)

    def ambient(self, z, order: int, device: Device = HOST):
        """Derivatives of the sections in z: (N, n+1) to (N, multi-indices up to order, N_k) complex, on the device."""
        xp, size = device.xp, z.shape[1]
        powers = [xp.ones_like(z)]
        for _ in range(int(self.exponents.max())):
            powers.append(powers[-1] * z)
        table = xp.stack(powers, axis=2)
        # Of each coordinate's factor z_i^alpha_i the derivatives of order 0, 1, ...
        factors = []
        for i, alpha in enumerate(self.exponents.T):
            taken = [xp.take(table[:, i, :], device.put(np.maximum(alpha - p, 0)), axis=1) for p in range(order + 1)]
            falling = [np.array([float(math.perm(int(a), p)) for a in alpha]) for p in range(order + 1)]
            factors.append([taken[0], *(device.put(f) * t for f, t in zip(falling[1:], taken[1:], strict=True))])
        columns = [
            reduce(mul, [factors[i][index.count(i)] for i in range(size)]) for index in jets.multi_indices(size, order)
        ]
        return xp.stack(columns, axis=1) * device.put(self.norms)

    def load(self, coefficients: np.ndarray, device: Device = HOST):
        """T of h = T + T^dagger, for `contract`: (N_k^2,) to (N_k, N_k) complex on the device."""
        return device.put(triangle.lower(hermitian.from_reals(coefficients)))

    def contract(self, values, loaded, device: Device = HOST, whole: bool = False):
        """Jets of phi as reals: values (N, 1 + d, N_k) and T (N_k, N_k) to (N, r), on the device."""
        reals = contraction.paired(values, values.shape[1], loaded, device)
        reals[:, 1 : values.shape[1]] -= self.degree * reals[:, :1]
        return reals if whole else contraction.mixed(reals, values.shape[1], device)

    def adjoint(self, values, v, device: Device = HOST):
        """sum over points of H_m . v: values (N, 1 + d, N_k) and v (N, r) to (N_k^2,), on the device."""
        rows = values.shape[1]
        whole = contraction.widened(v, rows, device)
        whole[:, 0] -= self.degree * device.xp.sum(whole[:, 1:rows], axis=1)
        return contraction.collected(values, whole, device)

    @classmethod
    def complaints(cls, arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
        """The exponents must be of the degree."""
        exponents = arrays["potential/exponents"]
        if not within(exponents, 0, degree) or (exponents.sum(1) != degree).any():
            yield f"potential/exponents are not of degree {degree}"

    @classmethod
    def costs(cls, surface: Domain, degree: int, whole: bool = False) -> Costs:
        """Sections and their derivatives are prepared, never a matrix of N_k^2 columns."""
        count, d, n = cls.count(surface, degree), surface.dimension, surface.coordinates
        size = math.isqrt(count)
        return Costs(
            features=count,
            kept=16 * size * (1 + d),
            preparing=16 * size * 5 * (n + 1),
            sweeping=2 * 16 * size * (1 + d),
            sweep=Work(flops=5 * count * (1 + d)),
            prepare=Work(products=n * (n + 1) * size),
            # As many as runs were seen to take: 9, 19 and 34 at k = 2, 3 and 4.
            iterations=10 * max(degree - 1, 1),
            state=8 * size * n,
            moments=8 * count,
        )


def sections(surface: Polynomial, degree: int) -> Sections:
    """The sections of degree k on X: monomials that are no multiple of the leading one of Q (lexicographically).

    Raises InputError for a degree below 1.
    """
    if degree < 1:
        raise InputError(f"kernel.degree = {degree}: sections have degree 1 or more")
    exponents = monomials(degree, _one(surface).coordinates)
    present = surface.exponents[surface.coefficients != 0]
    leading = np.array(max(map(tuple, present.tolist())))
    return Sections(exponents[~(exponents >= leading).all(1)])


def _one(surface: Domain) -> Polynomial:
    """A manifold of one equation in one projective space. Raises InputError for any other."""
    if not isinstance(surface, Polynomial):
        raise InputError(
            'kernel.features = "generic": they are of one equation in one projective space; take kernel.features = "sections"'
        )
    return surface
