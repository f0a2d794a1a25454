"""The points in which random lines of P^n meet X: all n+1 roots, polished to rounding level (theory 2).

Lines are solved side by side in the lanes of the vector registers (`vector.line_solver`); no lane knows of its neighbours.
"""

from __future__ import annotations

import numpy as np

from mpiflow.geometry.polynomial import Polynomial


def meet(
    surface: Polynomial, first: np.ndarray, second: np.ndarray, wanted: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of X on the lines through pairs of points of P^n.

    first, second: (L, n+1) complex. Returns z ((n+1) L, n+1) complex, patch-scaled, line by line, |Q| <= 1e-12; the
    chart (i, j) of each, int8 (theory 1); and |dQ/dz_i|^2, ((n+1) L, n+1) float64. wanted: only points of this chart.
    """
    # Loaded where it computes: who reads a run file needs no compiler.
    from mpiflow.vector.line_solver import solved

    size = surface.coordinates
    points = solved(np.concatenate([first, second], axis=1), surface.exponents, surface.coefficients)
    if wanted is None:
        points = points.reshape(-1, *points.shape[2:])[: len(first)].reshape(-1, 3 * size + 2)
    else:
        accepted = (points[..., 3 * size :] == np.asarray(wanted)).all(-1)
        filled_up = np.arange(accepted[..., 0].size).reshape(accepted.shape[:2]) >= len(first)
        points = points[accepted & ~filled_up[..., None]]
    z, slope2, chart = points[:, : 2 * size], points[:, 2 * size : 3 * size], points[:, 3 * size :]
    return z.copy().view(np.complex128), chart.astype(np.int8), slope2
