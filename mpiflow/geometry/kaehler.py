"""How far a metric is from being Kaehler, by differences along X; and the conformal metric that is not (theory 3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.geometry.domain import Domain

#: Central differences of fourth order with this step in a chart's coordinates are good to about 1e-9.
STEP = 5e-4


def defect(
    surface: Domain, metric_at: Callable[[np.ndarray], np.ndarray], z: np.ndarray, chart: np.ndarray
) -> np.ndarray:
    """sqrt(1/2 sum |d_c g_(a bbar) - d_a g_(c bbar)|^2) in a g_FS-orthonormal frame: zero where g is Kaehler.

    metric_at: maps displaced points (N, C) complex, same charts, to metrics (N, d, d). z, chart: of the points.
    Returns (N,) float64, absolute error about 1e-8 for metrics that vary on a scale of one.
    """
    d = surface.dimension
    frame = orthonormal_frame(surface.reference(z, chart))
    slope = np.empty((len(z), d, d, d), np.complex128)
    for c in range(d):
        along = [_difference(surface, metric_at, z, chart, c, unit) for unit in (1.0, 1.0j)]
        slope[:, c] = (along[0] - 1j * along[1]) / 2
    twist = slope - slope.transpose(0, 2, 1, 3)
    twist = np.einsum("pcC,paA,pbB,pcab->pCAB", frame, frame, frame.conj(), twist, optimize=True)
    return np.sqrt((np.abs(twist) ** 2).sum((1, 2, 3)) / 2)


def _difference(surface, metric_at, z, chart, direction, unit):
    step = np.zeros((len(z), surface.dimension), np.complex128)
    step[:, direction] = unit * STEP
    near, far = (
        metric_at(surface.displaced(z, chart, k * step)) - metric_at(surface.displaced(z, chart, -k * step))
        for k in (1, 2)
    )
    return (8 * near - far) / (12 * STEP)


def orthonormal_frame(g: np.ndarray) -> np.ndarray:
    """E with E^T g conj(E) = 1 for Hermitian positive definite g: (N, d, d) to (N, d, d) complex."""
    lower = np.linalg.cholesky(g)
    return np.linalg.inv(lower).transpose(0, 2, 1)


def conformal(g: np.ndarray, det: np.ndarray, omega2: np.ndarray, kappa: float) -> np.ndarray:
    """g (kappa |Omega|^2 / det g)^(1/d): sigma 0 with no training at all, and not Kaehler unless d = 1.

    g: (N, d, d); det, omega2: (N,). Returns (N, d, d).
    """
    return g * ((kappa * omega2 / det) ** (1 / g.shape[-1]))[:, None, None]
