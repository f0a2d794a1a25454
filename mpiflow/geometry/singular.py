"""Whether Q = 0 has a singular point, found or not found by a search."""

from __future__ import annotations

import numpy as np

from mpiflow import streams
from mpiflow.geometry.polynomial import Polynomial

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
