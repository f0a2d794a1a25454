"""The Mabuchi energy: on a Calabi-Yau manifold the entropy of the metric's volume relative to that of Omega (HR app. B)."""

from __future__ import annotations

import numpy as np

from mpiflow.functionals.functional import Functional


class Mabuchi(Functional):
    """flow.loss = "mabuchi": l = eta log eta - eta + 1, of mean <eta log eta>; Kaehler-Ricci flow lowers it."""

    name = "mabuchi"

    def value(self, eta, xp=np):
        """l(eta): (N,) to (N,)."""
        return eta * xp.log(eta) - eta + 1

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return np.log(eta)
