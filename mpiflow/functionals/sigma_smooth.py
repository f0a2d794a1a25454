"""The sigma measure with its kink rounded off, so that it can be lowered to its own minimum."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.functionals.functional import Functional


class SigmaSmooth(Functional):
    """flow.loss = "sigma-smooth": l = sqrt((1 - eta)^2 + width^2) - width, near |1 - eta| (HR B.11)."""

    width: Annotated[float, Field(ge=1e-12, le=10)] = 1e-3
    """How far from eta = 1 the kink of |1 - eta| is rounded off."""

    name = "sigma-smooth"

    def value(self, eta, xp=np):
        """l(eta): (N,) to (N,)."""
        return xp.sqrt((1 - eta) ** 2 + self.width**2) - self.width

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return (eta - 1) / np.sqrt((1 - eta) ** 2 + self.width**2)
