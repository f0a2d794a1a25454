"""The square of what the Monge-Ampere equation eta = 1 is off by."""

from __future__ import annotations

import numpy as np

from mpiflow.functionals.functional import Functional


class MongeAmpere(Functional):
    """flow.loss = "monge-ampere": l = (1 - eta)^2."""

    name = "monge-ampere"

    def value(self, eta, xp=np):
        """l(eta): (N,) to (N,)."""
        return (1 - eta) ** 2

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return 2 * (eta - 1)
