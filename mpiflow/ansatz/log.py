"""The potential of an algebraic metric: the features stand inside the logarithm, and the kernel moves with the metric."""

from __future__ import annotations

import math

import numpy as np

from mpiflow.ansatz.ansatz import Ansatz


class Log(Ansatz):
    """kernel.potential = "log": phi = log(1 + F) / k, so that K = log|z|^2 + phi = log(s^dagger h s) / k (theory 4)."""

    name = "log"
    powers = True

    def derivatives(self, t: np.ndarray, k: int, order: int) -> list[np.ndarray]:
        """f and its derivatives, NaN where 1 + F is not positive: (N,) each."""
        one = np.where(1 + t > 0, 1 + t, np.nan)
        slopes = [(-1) ** (n - 1) * math.factorial(n - 1) / (k * one**n) for n in range(1, order + 1)]
        return [np.log1p(one - 1) / k, *slopes]
