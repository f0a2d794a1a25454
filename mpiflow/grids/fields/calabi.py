"""Calabi's flow in a conformal class, of fourth order."""

from __future__ import annotations

import numpy as np

from mpiflow.grids import rk4
from mpiflow.grids.fields.curved import Curved
from mpiflow.grids.space import Space


class Calabi(Curved):
    """kernel.field = "calabi": dg = (Lap R) g. A wave of the conformal factor of a flat surface decays at the rate k^4."""

    name = "calabi"
    asks = ("scalar", "laplacian")

    def tensor(self, space: Space, u: np.ndarray) -> np.ndarray:
        """(Lap R) g: the shape of u."""
        return space.laplacian(u, space.scalar(u)) * u

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """Its rates k^4 e^(-s^2 k^2 / 2) are the squares of Ricci's of a kernel narrower by the root of 2; d - 1 of them."""
        return space.step_limit(u, width / 2**0.5) ** 2 / rk4.REACH / max(space.dimension - 1, 1)
