"""Losses of a metric against the holomorphic volume, and their gradients in closed form (theory 3)."""

from __future__ import annotations

import numpy as np


class Sigma:
    """l = |1 - eta|, the pointwise form of the sigma measure (HR B.11)."""

    name = "sigma"

    @staticmethod
    def value(eta: np.ndarray) -> np.ndarray:
        """l(eta): (N,) to (N,)."""
        return np.abs(1 - eta)

    @staticmethod
    def slope(eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,); 0 at eta = 1 to rounding, where l has its kink."""
        return np.where(np.abs(eta - 1) < 16 * np.finfo(eta.dtype).eps, 0, np.sign(eta - 1))


class MongeAmpere:
    """l = (1 - eta)^2."""

    name = "monge-ampere"

    @staticmethod
    def value(eta: np.ndarray) -> np.ndarray:
        """l(eta): (N,) to (N,)."""
        return (1 - eta) ** 2

    @staticmethod
    def slope(eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return 2 * (eta - 1)


class Log:
    """l = (log eta)^2."""

    name = "log"

    @staticmethod
    def value(eta: np.ndarray) -> np.ndarray:
        """l(eta): (N,) to (N,)."""
        return np.log(eta) ** 2

    @staticmethod
    def slope(eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return 2 * np.log(eta) / eta


LOSSES = {loss.name: loss for loss in (Sigma, MongeAmpere, Log)}


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


def gradient(g: np.ndarray, eta_of_g: np.ndarray, loss, natural: bool = False) -> np.ndarray:
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
