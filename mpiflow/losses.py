"""eta of a metric against the holomorphic volume, and the gradient of a functional of it in closed form (theory 3)."""

from __future__ import annotations

import numpy as np

from mpiflow.backend import HOST, Device
from mpiflow.functionals import Functional
from mpiflow.functionals.functional import of_etas
from mpiflow.pointwise import Entries


def determinant(g: np.ndarray) -> np.ndarray:
    """det g of Hermitian (N, d, d) matrices: (N,) real."""
    return Entries.of(g).determinant()


def eta(g: np.ndarray, omega2: np.ndarray, kappa: float) -> np.ndarray:
    """eta = det g / (kappa |Omega|^2): (N, d, d), (N,) to (N,) real, of g's precision."""
    return of_determinant(determinant(g), omega2, kappa)


def of_determinant(det: np.ndarray, omega2: np.ndarray, kappa: float) -> np.ndarray:
    """eta of det g: (N,) each, of its precision."""
    return det / (det.dtype.type(kappa) * omega2.astype(det.dtype))


def gradient(g: np.ndarray, eta_of_g: np.ndarray, loss: Functional, natural: bool = False) -> np.ndarray:
    """Frobenius gradient dl/dg = l'(eta) eta g^-1, Hermitian; with `natural`, g (dl/dg) g = l'(eta) eta g.

    g: (N, d, d) complex Hermitian, positive definite. eta_of_g: (N,). Returns (N, d, d) complex128.
    """
    entries = Entries.of(g)
    return slope(entries, entries.determinant(), eta_of_g, loss, natural).matrices()


def slope(
    g: Entries, det: np.ndarray, eta_of_g: np.ndarray, loss: Functional, natural: bool = False, device: Device = HOST
) -> Entries:
    """The same of entries that lie on a device; det g and eta, (N,), are the host's. eta g^-1 is eta / det g cofactors."""
    factor = of_etas(loss, "slope", eta_of_g) * eta_of_g
    if natural:
        return g.scaled(device.put(factor))
    return g.cofactors().scaled(device.put(factor / det))
