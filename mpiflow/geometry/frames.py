"""Normal coordinates of X in the Fubini-Study metric: in them g_FS = 1, and no formula knows its chart.

At a point z of X with |z| = 1 the curve sigma(x) = z + E_a x^a + W_ab x^a x^b / 2 lies in X to second order, the E_a
are orthonormal and orthogonal to z, and W_ab is a multiple of the normal vector. Then
K = log|sigma|^2 = |x|^2 + K_(ac bbar dbar) x x xbar xbar / 4 + ..., without any other term of these orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow.geometry import charts
from mpiflow.geometry.hypersurface import Hypersurface


@dataclass(frozen=True)
class Frame:
    """Normal coordinates at N points.

    z: (N, n+1) complex, |z| = 1. vectors: (N, n+1, d) complex, E. bend: (N, n+1, d, d) complex, W.
    lower: (N, d, d) complex, lower triangular: a metric g_E of the frame is L g_E L^dagger in the chart.
    """

    z: np.ndarray
    vectors: np.ndarray
    bend: np.ndarray
    lower: np.ndarray

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, rows) -> Frame:
        """The frame of some of the points."""
        return Frame(self.z[rows], self.vectors[rows], self.bend[rows], self.lower[rows])

    @property
    def quartic(self) -> np.ndarray:
        """K_(ac bbar dbar), (N, a, c, b, d) complex: minus the curvature of g_FS (Gauss' equation)."""
        one = np.eye(self.vectors.shape[2])
        sphere = np.einsum("ab,cd->acbd", one, one) + np.einsum("ad,cb->acbd", one, one)
        return np.einsum("xiac,xibd->xacbd", self.bend, self.bend.conj()) - sphere


def frame(surface: Hypersurface, z: np.ndarray, chart: np.ndarray) -> Frame:
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
