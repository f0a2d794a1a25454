"""Normal coordinates of X in the Fubini-Study metric: in them g_FS = 1, and no formula knows its chart.

At a point z of X with |z| = 1 the curve sigma(x) = z + E_a x^a + W_ab x^a x^b / 2 lies in X to second order, the E_a
are orthonormal and orthogonal to z, and W_ab is a multiple of the normal vector. Then
K = log|sigma|^2 = |x|^2 + K_(ac bbar dbar) x x xbar xbar / 4 + ..., without any other term of these orders.
"""

from __future__ import annotations

import numpy as np

from mpiflow.geometry import charts
from mpiflow.geometry.domain import Frame
from mpiflow.geometry.polynomial import Polynomial


def frame(surface: Polynomial, z: np.ndarray, chart: np.ndarray) -> Frame:
    """Normal coordinates at points of X.

    z: (N, n+1) complex, patch-scaled. chart: (N, 2) int, to which `lower` leads back.
    """
    length = np.linalg.norm(z, axis=1)
    unit = z / length[:, None]
    jacobian = charts.jacobian(surface, z, chart)
    along = unit.conj()[:, None, :] @ jacobian
    horizontal = (jacobian - unit[:, :, None] * along) / length[:, None, None]
    lower = np.linalg.cholesky(horizontal.transpose(0, 2, 1) @ horizontal.conj())
    vectors = np.linalg.solve(lower, horizontal.transpose(0, 2, 1)).transpose(0, 2, 1)
    slope = surface.gradient(unit)
    second = vectors.transpose(0, 2, 1) @ surface.hessian(unit) @ vectors
    normal = slope.conj() / (np.abs(slope) ** 2).sum(1)[:, None]
    return Frame(unit, vectors, -normal[:, :, None, None] * second[:, None], lower)
