"""Angles between two sets of points, correct for near pairs too, where a Gram product has lost them."""

from __future__ import annotations

import numpy as np

from mpiflow.geometry.projective import distance, unit

# Below this 1 - cos a Gram product has at most 13 digits left of the angle: those pairs, few, are done again.
_NEAR = 1e-3

#: Rounding of a tile's 1 - cos(angle), and the error of a kernel entry (over its largest) that is let pass.
ROUNDING = {"float32": 3e-7, "float64": 6e-16}
ALLOWED = {"float32": 2e-6, "float64": 5e-14}


def distances(x, y, xp=np):
    """All Fubini-Study distances of two sets, near pairs by the wedge form (HR 3.2, 3.4).

    x: (N, n+1), y: (M, n+1) complex, any scale, arrays of the library xp. Returns (N, M) float64 in [0, pi/2], absolute
    error 1e-14.
    """
    versine = xp.maximum(1 - xp.abs(unit(x) @ unit(y).conj().T), 0.0)
    angle = half_angle(versine, xp)
    i, j = xp.nonzero(versine < _NEAR)
    angle[i, j] = distance(x[i], y[j])
    return angle


def versines(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 - |u.v| and whether u.v < 0, for all pairs of real unit vectors; near pairs by |u -+ v|^2 / 2.

    u: (N, p), v: (M, p) float64. Returns (N, M) float64 and (N, M) bool.
    """
    cosine = u @ v.T
    versine, negative = 1 - np.abs(cosine), cosine < 0
    i, j = np.nonzero(versine < _NEAR)
    versine[i, j] = paired_versines(u[i], v[j])[0]
    return versine, negative


def paired_versines(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `versines` for paired rows (N, p): two (N,) arrays, every digit right."""
    negative = (u * v).sum(1) < 0
    return ((u - np.where(negative, -1, 1)[:, None] * v) ** 2).sum(1) / 2, negative


def half_angle(versine, xp=np):
    """arccos(1 - versine) without its cancellation, for versine in [0, 1]."""
    return 2 * xp.arcsin(xp.sqrt(versine / 2))


def rooted_angle(versine):
    """arccos(1 - versine) / sqrt(versine), analytic up to 2: degree 6 to 8 reaches float32, 16 to 18 float64."""
    return half_angle(versine) / np.sqrt(versine)
