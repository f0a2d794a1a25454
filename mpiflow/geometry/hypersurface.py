"""Calabi-Yau hypersurfaces Q = 0 of degree n+1 in P^n, as monomials and coefficients (theory 1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from mpiflow.errors import InputError


@dataclass(frozen=True)
class Hypersurface:
    """X = {Q(z) = 0} with Q = sum_t coefficients[t] prod_i z_i^exponents[t, i].

    exponents: (T, n+1) int, each row summing to n+1 (the Calabi-Yau condition). coefficients: (T,) complex.
    Raises InputError for another degree, too few variables, or no term at all.
    """

    exponents: np.ndarray
    coefficients: np.ndarray

    def __post_init__(self):
        exponents = np.atleast_2d(np.asarray(self.exponents, np.int64))
        coefficients = np.atleast_1d(np.asarray(self.coefficients, np.complex128))
        if len(exponents) != len(coefficients):
            raise InputError(
                f"manifold.coefficients: {len(coefficients)} for {len(exponents)} monomials: give one a monomial"
            )
        degree = exponents.shape[1]
        bad = np.flatnonzero((exponents.sum(1) != degree) | (exponents < 0).any(1))
        if len(bad):
            raise InputError(
                f"manifold.monomials = {exponents[bad[0]].tolist()}: degree {exponents[bad[0]].sum()} in P^{degree - 1} "
                f"is not Calabi-Yau; the {degree} exponents must be >= 0 and sum to {degree}"
            )
        if not 3 <= degree <= 6:
            raise InputError(f"manifold: P^{degree - 1} is not supported: the ambient dimension is 2, 3, 4 or 5")
        if not np.isfinite(coefficients).all() or not coefficients.any():
            raise InputError("manifold.coefficients: must be finite and not all zero")
        object.__setattr__(self, "exponents", exponents)
        object.__setattr__(self, "coefficients", coefficients)

    @property
    def ambient(self) -> int:
        """The n of P^n."""
        return self.exponents.shape[1] - 1

    @property
    def dimension(self) -> int:
        """Complex dimension d = n - 1 of X."""
        return self.ambient - 1

    @property
    def degree(self) -> int:
        """Degree n + 1 of Q."""
        return self.ambient + 1

    def value(self, z: np.ndarray) -> np.ndarray:
        """Q(z): (N, n+1) complex to (N,) complex."""
        return self._sum(self._powers(z), self.exponents, self.coefficients)

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """dQ/dz_i: (N, n+1) complex to (N, n+1) complex."""
        powers = self._powers(z)
        columns = [self._derivative(powers, (i,)) for i in range(z.shape[1])]
        return np.stack(columns, axis=1)

    def hessian(self, z: np.ndarray) -> np.ndarray:
        """d2Q/dz_i dz_j: (N, n+1) complex to (N, n+1, n+1) complex."""
        powers, n = self._powers(z), z.shape[1]
        h = np.empty((len(z), n, n), np.complex128)
        for i in range(n):
            for j in range(i, n):
                h[:, i, j] = h[:, j, i] = self._derivative(powers, (i, j))
        return h

    def _powers(self, z: np.ndarray) -> np.ndarray:
        powers = np.ones((self.degree + 1, *z.shape), np.complex128)
        for k in range(1, len(powers)):
            powers[k] = powers[k - 1] * z
        return powers

    def _derivative(self, powers: np.ndarray, by: tuple[int, ...]) -> np.ndarray:
        exponents, factors = self.exponents.copy(), self.coefficients.copy()
        for i in by:
            factors = factors * exponents[:, i]
            exponents[:, i] = np.maximum(exponents[:, i] - 1, 0)
        return self._sum(powers, exponents[factors != 0], factors[factors != 0])

    @staticmethod
    def _sum(powers: np.ndarray, exponents: np.ndarray, factors: np.ndarray) -> np.ndarray:
        total = np.zeros(powers.shape[1], np.complex128)
        for row, factor in zip(exponents, factors, strict=True):
            term = np.full(powers.shape[1], factor)
            for i in np.flatnonzero(row):
                term *= powers[row[i], :, i]
            total += term
        return total


def fermat(ambient: int) -> Hypersurface:
    """Fermat hypersurface sum_i z_i^(n+1) in P^n: torus, K3, quintic, sextic for n = 2, 3, 4, 5."""
    size = ambient + 1
    return Hypersurface(size * np.eye(size, dtype=int), np.ones(size))


def dwork(ambient: int, psi: complex) -> Hypersurface:
    """Dwork family sum_i z_i^(n+1) - (n+1) psi prod_i z_i; singular where psi^(n+1) = 1, refused there."""
    size = ambient + 1
    if abs(complex(psi) ** size - 1) < 1e-9:
        shown = complex(psi).real if complex(psi).imag == 0 else complex(psi)
        raise InputError(
            f"manifold.psi = {shown}: psi^{size} = 1 is a conifold, the hypersurface is singular there; move psi away"
        )
    exponents = np.vstack([size * np.eye(size, dtype=int), np.ones((1, size), int)])
    return Hypersurface(exponents, np.append(np.ones(size), -size * complex(psi)))


def random(ambient: int, seed: int) -> Hypersurface:
    """No symmetry: all monomials of degree n+1 in P^n (126 for a quintic) with complex Gaussian coefficients."""
    degree = ambient + 1
    exponents = [row for row in product(range(degree + 1), repeat=ambient + 1) if sum(row) == degree]
    draws = np.random.default_rng(seed).standard_normal((len(exponents), 2))
    return Hypersurface(exponents, draws[:, 0] + 1j * draws[:, 1])


def singular_point(surface: Hypersurface, starts: int = 64, seed: int = 0) -> np.ndarray | None:
    """A point of |z| = 1 where all dQ/dz_i vanish (then Q does as well, by Euler's identity), or None if none is found.

    Levenberg-Marquardt on |grad Q|^2 from random starts: finds the nodes of a conifold surely enough to refuse it before
    any work, but is no proof of smoothness.
    """
    rng = np.random.default_rng(seed)
    size = surface.ambient + 1
    z = rng.normal(size=(starts, size)) + 1j * rng.normal(size=(starts, size))
    scale = np.abs(surface.coefficients).max()
    damping = np.full(starts, 1.0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    slope = surface.gradient(z) / scale
    for _ in range(100):
        h = surface.hessian(z) / scale
        normal = h.conj().transpose(0, 2, 1)
        # z z^dagger keeps the step off the scaling direction, along which the gradient only shrinks.
        matrix = normal @ h + damping[:, None, None] * np.eye(size) + z[:, :, None] * z.conj()[:, None, :]
        trial = z - np.linalg.solve(matrix, normal @ slope[:, :, None])[:, :, 0]
        trial /= np.linalg.norm(trial, axis=1, keepdims=True)
        trial_slope = surface.gradient(trial) / scale
        better = np.linalg.norm(trial_slope, axis=1) < np.linalg.norm(slope, axis=1)
        z[better], slope[better] = trial[better], trial_slope[better]
        damping *= np.where(better, 0.2, 4.0)
        damping = np.clip(damping, 1e-14, 1e6)
    size_of_slope = np.linalg.norm(slope, axis=1)
    best = size_of_slope.argmin()
    return z[best] if size_of_slope[best] < 1e-8 else None
