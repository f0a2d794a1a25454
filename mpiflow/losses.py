"""eta of a metric against the holomorphic volume, and the gradient of a functional of it in closed form (theory 3)."""

from __future__ import annotations

import numpy as np

from mpiflow.functionals import Functional


def determinant(g: np.ndarray) -> np.ndarray:
    """det g of Hermitian (N, d, d) matrices, written out for d <= 3: (N,) real, of g's precision."""
    d = g.shape[-1]
    if d == 1:
        return g[:, 0, 0].real
    if d == 2:
        return g[:, 0, 0].real * g[:, 1, 1].real - _square(g[:, 0, 1])
    if d == 3:
        a, b, c = (g[:, i, i].real for i in range(3))
        x, y, w = g[:, 0, 1], g[:, 0, 2], g[:, 1, 2]
        return a * b * c + 2 * (x * w * y.conj()).real - a * _square(w) - b * _square(y) - c * _square(x)
    return np.linalg.det(g).real


def eta(g: np.ndarray, omega2: np.ndarray, kappa: float) -> np.ndarray:
    """eta = det g / (kappa |Omega|^2): (N, d, d), (N,) to (N,) real, of g's precision."""
    det = determinant(g)
    return det / (det.dtype.type(kappa) * omega2.astype(det.dtype))


def gradient(g: np.ndarray, eta_of_g: np.ndarray, loss: Functional, natural: bool = False) -> np.ndarray:
    """Frobenius gradient dl/dg = l'(eta) eta g^-1, Hermitian; with `natural`, g (dl/dg) g = l'(eta) eta g.

    g: (N, d, d) complex Hermitian, positive definite. eta_of_g: (N,). Returns (N, d, d) of g's dtype.
    """
    slope = (loss.slope(eta_of_g) * eta_of_g).astype(g.real.dtype)[:, None, None]
    if natural:
        return slope * g
    inverse = np.linalg.inv(g)
    return slope * (inverse + inverse.conj().transpose(0, 2, 1)) / 2


def _square(x: np.ndarray) -> np.ndarray:
    return x.real**2 + x.imag**2
