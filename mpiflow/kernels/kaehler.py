"""The frozen Kaehler kernel (HR 2.12, app. B): Theta(x, x') = sum_mn C_mn (d dbar F_m)(x) conj((d dbar F_n)(x')).

Metrics g = g_FS + d dbar phi, phi = sum_m c_m F_m, in frames with g_FS = 1; Hermitian matrices as d^2 reals
(`mpiflow.hermitian`), so that A_m = tr(g^-1 d dbar F_m) = d log det g / d c_m is a dot product.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mpiflow import backend, hermitian
from mpiflow.errors import NumericalError


def metric(potential: np.ndarray) -> np.ndarray:
    """g in the frame from d dbar phi as reals: (N, d^2) to (N, d, d) complex."""
    g = hermitian.from_reals(potential)
    return g + np.eye(g.shape[-1])


def inverse(g: np.ndarray) -> np.ndarray:
    """g^-1 as d^2 reals: (N, d, d) to (N, d^2)."""
    inverted = np.linalg.inv(g)
    return hermitian.to_reals((inverted + inverted.conj().transpose(0, 2, 1)) / 2)


def traces(hessian, inverted, xp=np):
    """A_m = tr(g^-1 H_m): (P, N, d^2) and (N, d^2) to (P, N), arrays of the library xp."""
    if hasattr(xp, "einsum"):
        return xp.einsum("mxc,xc->mx", hessian, inverted)
    return xp.sum(hessian * inverted[None, :, :], axis=2)


def gram(rows, weight, residual, xp=np):
    """sum over points of w [A, 1, r] [A, 1, r]^T: (P, N), (N,), (N,) to (P+2, P+2), arrays of the library xp."""
    every = backend.joined(xp, [rows, xp.ones_like(residual)[None, :], residual[None, :]])
    scaled = every * xp.sqrt(weight)
    return xp.matmul(scaled, scaled.T)


class Normal:
    """Centred normal equations M dc = -b of the least squares sum w (r + A dc - mean)^2, from a `gram` matrix.

    ridge: added to M, relative to its diagonal. diagonal: keep nothing else of M.
    Raises NumericalError where M is singular to rounding.
    """

    def __init__(self, gram: np.ndarray, ridge: float, diagonal: bool = False):
        total = gram[-2, -2]
        mean = gram[:, -2] / total
        centred = gram / total - np.outer(mean, mean)
        self.right = centred[:-2, -1]
        # A ridge and a factorisation mean something once every feature has the same weight.
        self.scale = np.sqrt(np.diag(centred)[:-2])
        matrix = np.eye(len(self.scale)) if diagonal else centred[:-2, :-2] / np.outer(self.scale, self.scale)
        matrix[np.diag_indices_from(matrix)] += ridge
        try:
            self.factor = linalg.cho_factor(matrix, lower=True)
        except linalg.LinAlgError:
            raise NumericalError(
                f"the normal matrix of {len(matrix)} features is singular: take more points, a lower kernel.degree or "
                f"kernel.ridge > {ridge:g}"
            ) from None

    def solve(self, gradient: np.ndarray) -> np.ndarray:
        """M^-1 times a gradient (P,)."""
        return linalg.cho_solve(self.factor, gradient / self.scale) / self.scale


def step(gram: np.ndarray, ridge: float) -> np.ndarray:
    """The least squares solution dc (P,) of `Normal`, and its errors."""
    normal = Normal(gram, ridge)
    return -normal.solve(normal.right)
