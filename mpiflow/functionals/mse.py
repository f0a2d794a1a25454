"""The square of the distance to a metric that is known: its flow under a frozen kernel is linear (HR 2.9 - 2.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.functional import Functional
from mpiflow.geometry.kaehler import conformal
from mpiflow.pointwise import Entries

if TYPE_CHECKING:
    from mpiflow.config import Config


class MSE(Functional):
    """flow.loss = "mse": l = |g - g_c|^2 / 2 (Frobenius, in the chart), g_c the conformal metric, of eta = 1 everywhere.

    On a torus g_c is the flat metric; for d > 1 it is not Kaehler.
    """

    name = "mse"
    asks: ClassVar = frozenset({"target"})
    wants: ClassVar = 'a component kernel, e.g. kernel.name = "gaussian"'
    linear: ClassVar = True

    def check(self, config: Config) -> None:
        """Raises ValueError where dl/dg would not be g - g_c."""
        if config.flow.natural_gradient or config.flow.kappa == "step":
            raise ValueError(
                'flow.loss = "mse": its target is one metric and its gradient the difference to it; leave out '
                'flow.natural_gradient and flow.kappa = "step"'
            )

    def target(self, reference: np.ndarray, omega2: np.ndarray, kappa: float) -> np.ndarray:
        """g_c of g_FS (N, d, d), |Omega|^2 (N,) and the kappa of g_FS: (N, d, d) complex."""
        return conformal(reference, Entries.of(reference).determinant(), omega2, kappa)

    def value(self, difference, xp=np):
        """l of g - g_c, `Entries` of (N,): (N,)."""
        return difference.norm() ** 2 / 2
