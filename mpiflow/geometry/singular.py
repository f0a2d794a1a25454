"""Whether X has a singular point, found or not found by a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpiflow import streams
from mpiflow.geometry.polynomial import Polynomial

if TYPE_CHECKING:
    from mpiflow.geometry.intersection import Intersection

#: Random points from which a search begins.
_STARTS = 64


def singular_point(surface: Polynomial) -> np.ndarray | None:
    """A point of |z| = 1 where all dQ/dz_i vanish (then Q does as well, by Euler's identity), or None if none is found.

    Levenberg-Marquardt on |grad Q|^2 from random starts: finds the nodes of a conifold surely enough to refuse it before
    any work, but is no proof of smoothness.
    """
    rng, size = streams.same(), surface.coordinates
    z = rng.normal(size=(_STARTS, size)) + 1j * rng.normal(size=(_STARTS, size))
    scale = np.abs(surface.coefficients).max()
    damping = np.full(_STARTS, 1.0)
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


def dependent_slopes(surface: Intersection) -> np.ndarray | None:
    """A point of X, each |z_i| = 1, where sum_j l_j dQ_j = 0 for some l, |l| = 1; or None if none is found.

    Levenberg-Marquardt on these and on Q_j = 0, for z and l together, from random starts; no proof of smoothness either.
    """
    rng, size, count = streams.same(), surface.coordinates, len(surface.equations)
    parts = (*surface.parts, slice(size, size + count))
    x = _unit(rng.normal(size=(_STARTS, size + count)) + 1j * rng.normal(size=(_STARTS, size + count)), parts)
    damping, value = np.full(_STARTS, 1.0), _dependence(surface, x)
    for _ in range(150):
        matrix = _dependence_slope(surface, x)
        normal = matrix.conj().swapaxes(1, 2)
        square = normal @ matrix + damping[:, None, None] * np.eye(size + count)
        for part in parts:
            # As above, of each factor and of l.
            square[:, part, part] += x[:, part, None] * x[:, None, part].conj()
        trial = _unit(x - np.linalg.solve(square, normal @ value[:, :, None])[:, :, 0], parts)
        trial_value = _dependence(surface, trial)
        better = np.linalg.norm(trial_value, axis=1) < np.linalg.norm(value, axis=1)
        x[better], value[better] = trial[better], trial_value[better]
        damping = np.clip(damping * np.where(better, 0.2, 4.0), 1e-14, 1e6)
    left = np.linalg.norm(value, axis=1)
    best = left.argmin()
    return x[best, :size] if left[best] < 1e-8 else None


def _unit(x: np.ndarray, parts: tuple[slice, ...]) -> np.ndarray:
    return np.concatenate([x[:, part] / np.linalg.norm(x[:, part], axis=1)[:, None] for part in parts], axis=1)


def _dependence(surface: Intersection, x: np.ndarray) -> np.ndarray:
    """(sum_j l_j dQ_j, Q) at x = (z, l), each equation over its largest coefficient: (N, C + p) complex."""
    z, factors, scale = _halves(surface, x)
    along = np.einsum("xp,xpc->xc", factors / scale, surface.slopes(z))
    return np.concatenate([along, surface.value(z) / scale], axis=1)


def _dependence_slope(surface: Intersection, x: np.ndarray) -> np.ndarray:
    """Its derivative: (N, C + p, C + p) complex."""
    z, factors, scale = _halves(surface, x)
    size, slopes = surface.coordinates, surface.slopes(z) / scale[:, None]
    found = np.zeros((len(x), x.shape[1], x.shape[1]), np.complex128)
    found[:, :size, :size] = np.einsum("xp,xpcd->xcd", factors / scale, surface.bends(z))
    found[:, :size, size:] = slopes.swapaxes(1, 2)
    found[:, size:, :size] = slopes
    return found


def _halves(surface: Intersection, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scale = np.array([np.abs(each.coefficients).max() for each in surface.equations])
    return x[:, : surface.coordinates], x[:, surface.coordinates :], scale
