"""The entropy of Omega's volume relative to that of the metric: Ding's functional without its energy (HR app. B)."""

from __future__ import annotations

import numpy as np

from mpiflow.functionals.functional import Functional


class KL(Functional):
    """flow.loss = "kl": l = eta - 1 - log eta, of mean -<log eta> where <eta> = 1."""

    name = "kl"

    def value(self, eta, xp=np):
        """l(eta): (N,) to (N,)."""
        return eta - 1 - xp.log(eta)

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return 1 - 1 / eta
