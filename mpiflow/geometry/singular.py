"""Whether X has a singular point, found or not found by a search."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
    scale = np.abs(surface.coefficients).max()
    # z z^dagger, of `_searched`, keeps the step off the scaling direction, along which the gradient only shrinks.
    return _searched(
        (slice(0, surface.coordinates),),
        lambda z: surface.gradient(z) / scale,
        lambda z: surface.hessian(z) / scale,
        steps=100,
    )


def dependent_slopes(surface: Intersection) -> np.ndarray | None:
    """A point of X, each |z_i| = 1, where sum_j l_j dQ_j = 0 for some l, |l| = 1; or None if none is found.

    Levenberg-Marquardt on these and on Q_j = 0, for z and l together, from random starts; no proof of smoothness either.
    """
    size = surface.coordinates
    parts = (*surface.parts, slice(size, size + len(surface.equations)))
    found = _searched(parts, partial(_dependence, surface), partial(_dependence_slope, surface), steps=150)
    return None if found is None else found[:size]


def _searched(parts: tuple[slice, ...], value: Callable, slope: Callable, steps: int) -> np.ndarray | None:
    """x (S,) complex, 1 long in each part, where value(x) is 0, from random starts by Levenberg-Marquardt; None without any.

    value: (N, S) to (N, S); slope: (N, S) to (N, S, S), its derivative.
    """
    rng, size = streams.same(), parts[-1].stop
    x = _unit(rng.normal(size=(_STARTS, size)) + 1j * rng.normal(size=(_STARTS, size)), parts)
    damping, found = np.full(_STARTS, 1.0), value(x)
    for _ in range(steps):
        matrix = slope(x)
        normal = matrix.conj().swapaxes(1, 2)
        square = normal @ matrix + damping[:, None, None] * np.eye(size)
        for part in parts:
            square[:, part, part] += x[:, part, None] * x[:, None, part].conj()
        trial = _unit(x - np.linalg.solve(square, normal @ found[:, :, None])[:, :, 0], parts)
        there = value(trial)
        better = np.linalg.norm(there, axis=1) < np.linalg.norm(found, axis=1)
        x[better], found[better] = trial[better], there[better]
        damping = np.clip(damping * np.where(better, 0.2, 4.0), 1e-14, 1e6)
    left = np.linalg.norm(found, axis=1)
    best = left.argmin()
    return x[best] if left[best] < 1e-8 else None


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
