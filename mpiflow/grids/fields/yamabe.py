"""Yamabe's flow: within a conformal class, towards constant scalar curvature."""

from __future__ import annotations

import numpy as np

from mpiflow.grids.fields.curved import Curved
from mpiflow.grids.space import Space


class Yamabe(Curved):
    """kernel.field = "yamabe": dg = -R g. A wave of R on flat space decays at the rate (d - 1) k^2."""

    name = "yamabe"

    def tensor(self, space: Space, u: np.ndarray) -> np.ndarray:
        """-R g: the shape of u."""
        return -space.scalar(u) * u

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """Ricci's, whose waves decay at the rate k^2, over d - 1."""
        return space.step_limit(u, width) / max(space.dimension - 1, 1)
