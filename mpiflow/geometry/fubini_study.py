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
    whole = np.zeros((*jacobian.shape, jacobian.shape[2]), np.complex128)
    whole[rows, j] = bend
    return third(z, jacobian, whole)


def third(z: np.ndarray, jacobian: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """d_c d_a d_bbar log|z|^2 along a curve z(x), from its d_a z (N, C, d) and d_c d_a z, bend (N, C, d, d): (N, c, a, b)."""
    s = norm2(z)[:, None, None, None]
    plain = jacobian.swapaxes(1, 2) @ jacobian.conj()
    radial = np.einsum("xma,xm->xa", jacobian, z.conj())
    outward = radial.conj()[:, None, None, :]
    curved = np.einsum("xmca,xmb->xcab", bend, jacobian.conj())
    dragged = np.einsum("xmca,xm->xca", bend, z.conj())[..., None]
    second = radial[:, :, None, None] * plain[:, None] + radial[:, None, :, None] * plain[:, :, None]
    last = 2 * radial[:, :, None, None] * radial[:, None, :, None] * outward
    return curved / s - (second + dragged * outward) / s**2 + last / s**3
