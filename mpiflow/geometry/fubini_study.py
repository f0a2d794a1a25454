"""The Fubini-Study metric of K = log|z|^2 on X, and its derivatives along X (theory 1)."""

from __future__ import annotations

import numpy as np

from mpiflow.geometry import charts
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.geometry.projective import norm2


def pulled_back(z: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Fubini-Study metric on X in the chart of a Jacobian: g = J^T g_ambient conj(J).

    z: (N, n+1) complex, patch-scaled. jacobian: (N, n+1, d) complex, dz^mu/dx^a.
    Returns (N, d, d) complex, Hermitian positive definite.
    """
    # g_ambient = (|z|^2 1 - zbar z^T) / |z|^4, so only J^T Jbar and the vector J^T zbar are needed.
    square = norm2(z)[:, None, None]
    plain = jacobian.transpose(0, 2, 1) @ jacobian.conj()
    radial = jacobian.transpose(0, 2, 1) @ z.conj()[:, :, None]
    g = (square * plain - radial @ radial.conj().transpose(0, 2, 1)) / square**2
    return (g + g.conj().transpose(0, 2, 1)) / 2


def slope(surface: Polynomial, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """K_(c a bbar) = d_c d_a d_bbar log|z|^2, the derivative d_c of g_FS in the chart's coordinates: (N, c, a, b) complex.

    z: (N, n+1) complex, patch-scaled. chart: (N, 2) int.
    """
    rows, j, jacobian = np.arange(len(z)), chart[:, 1].astype(int), charts.jacobian(surface, z, chart)
    bend = -jacobian.transpose(0, 2, 1) @ surface.hessian(z) @ jacobian / surface.gradient(z)[rows, j][:, None, None]
    square = norm2(z)[:, None, None]
    plain = jacobian.transpose(0, 2, 1) @ jacobian.conj()
    radial = np.einsum("xma,xm->xa", jacobian, z.conj())
    # By powers of 1/|z|^2 of d_c d_a d_bbar log|z|^2 along the curve z(x), whose second derivative is bend e_j.
    curved = bend[..., None] * jacobian[rows, j].conj()[:, None, None, :]
    dragged = bend * z[rows, j].conj()[:, None, None]
    outward = radial.conj()
    second = radial[:, :, None, None] * plain[:, None] + radial[:, None, :, None] * plain[:, :, None]
    second = second + dragged[..., None] * outward[:, None, None, :]
    third = 2 * radial[:, :, None, None] * radial[:, None, :, None] * outward[:, None, None, :]
    s = square[..., None]
    return curved / s - second / s**2 + third / s**3
