"""The square of the logarithm of eta: it has a wall where a metric degenerates."""

from __future__ import annotations

import numpy as np

from mpiflow.functionals.functional import Functional


class Log(Functional):
    """flow.loss = "log": l = (log eta)^2."""

    name = "log"

    def value(self, eta, xp=np):
        """l(eta): (N,) to (N,)."""
        return xp.log(eta) ** 2

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return 2 * np.log(eta) / eta
