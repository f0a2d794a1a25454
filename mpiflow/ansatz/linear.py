"""The potential as a sum of features: a flow of it has a frozen kernel."""

from __future__ import annotations

import numpy as np

from mpiflow.ansatz.ansatz import Ansatz


class Linear(Ansatz):
    """kernel.potential = "linear": phi = F."""

    name = "linear"
    linear = True

    def derivatives(self, t: np.ndarray, k: int, order: int) -> list[np.ndarray]:
        """f and its derivatives: (N,) each."""
        return [t, np.ones_like(t), *(np.zeros_like(t) for _ in range(order - 1))][: order + 1]
