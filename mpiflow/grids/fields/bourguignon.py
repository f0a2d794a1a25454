"""The Ricci-Bourguignon flows, from Ricci's through the traceless one to the gradient of Einstein and Hilbert's action."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field as Key

from mpiflow.grids.fields.curved import Curved
from mpiflow.grids.space import Space


class Bourguignon(Curved):
    """kernel.field = "bourguignon": dg = -2 (Ric - rho R g); rho = 0 is Ricci flow, 1/d traceless, 1/(2 (d - 1)) Schouten's.

    A wave of R on flat space decays at the rate (1 - 2 (d - 1) rho) k^2: beyond Schouten's rho it grows.
    """

    rho: Annotated[float, Key(ge=-10, le=10)] = 0.25
    """Share of R g that is taken off."""

    name = "bourguignon"
    asks = ("scalar", "ricci_tensor")

    def tensor(self, space: Space, u: np.ndarray) -> np.ndarray:
        """-2 (Ric - rho R g): the shape of u."""
        return -2 * (space.ricci_tensor(u) - self.rho * space.scalar(u) * u)

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """Ricci's, over the largest rate in units of k^2."""
        return space.step_limit(u, width) / max(1, abs(1 - 2 * (space.dimension - 1) * self.rho))
