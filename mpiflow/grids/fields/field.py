"""What a flow of metrics on a grid is: du/dt as a function of u (HR 2.38)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpiflow.grids.space import Space
from mpiflow.settings.section import Named


class Field(Named):
    """A vector field on metrics; its fields are keys of the table [kernel.field].

    entire: whether each rank computes it on all rows, though it has some of them alone.
    """

    usual = "ricci"
    entire: ClassVar[bool] = False

    @property
    def effort(self) -> tuple[float, float]:
        """What a velocity takes of the work of the space's Ricci flow, and fields that it holds beyond those of it."""
        return 1.0, 0.0

    def pairs(self, space: Space) -> int:
        """Pairs of grid points that a velocity sums over, one by one."""
        return 0

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """du/dt at a metric u, non-local of a kernel of this width, 0: local; of the shape of u. Collective on slabs."""
        raise NotImplementedError(f"kernel.field = {self.name}: its class has no velocity(self, space, u, width)")

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """The longest Runge-Kutta step that is stable at u; collective on slabs."""
        return space.step_limit(u, width)

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError for a space, a start u, a width or a time of the whole flow that it is not for."""
