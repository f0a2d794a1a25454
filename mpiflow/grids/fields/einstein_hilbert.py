"""The flow by the Einstein tensor, the slope of the integral of R (HR 2.38)."""

from __future__ import annotations

import numpy as np

from mpiflow.grids.fields.curved import Curved
from mpiflow.grids.space import Space


class EinsteinHilbert(Curved):
    """kernel.field = "einstein-hilbert": dg = -2 (Ric - R g / 2), along which the integral of R rises.

    It stands still on surfaces; from three dimensions on waves of the conformal factor grow, and only s > 0 bounds their rate.
    """

    name = "einstein-hilbert"
    asks = ("scalar", "ricci_tensor")

    def tensor(self, space: Space, u: np.ndarray) -> np.ndarray:
        """-2 (Ric - R g / 2): the shape of u."""
        return -2 * space.ricci_tensor(u) + space.scalar(u) * u
