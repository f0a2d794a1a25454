"""The sigma measure as a functional."""

from __future__ import annotations

import numpy as np

from mpiflow.functionals.functional import Functional


class Sigma(Functional):
    """flow.loss = "sigma": l = |1 - eta|, the pointwise form of the sigma measure (HR B.11)."""

    name = "sigma"

    def value(self, eta, xp=np):
        """l(eta): (N,) to (N,)."""
        return xp.abs(1 - eta)

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,); 0 at eta = 1 to rounding, where l has its kink."""
        return np.where(np.abs(eta - 1) < 16 * np.finfo(eta.dtype).eps, 0, np.sign(eta - 1))
