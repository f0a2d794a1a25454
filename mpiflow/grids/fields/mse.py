"""The local flow of the mean square error to the flat metric (HR 2.13 - 2.18)."""

from __future__ import annotations

import numpy as np

from mpiflow.grids import rk4, symmetric
from mpiflow.grids.fields.field import Field
from mpiflow.grids.space import Space


class MeanSquare(Field):
    """kernel.field = "mse": -(g - flat), which a kernel of width s slows down by exp(-s^2 k^2 / 2) for a mode k."""

    name = "mse"

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """du/dt at u; collective on slabs."""
        return -space.smoothed(u - symmetric.unit((1,) * len(space.shape), symmetric.dimension(u)), width)

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """The longest stable step, of modes that fall as e^-t."""
        return rk4.REACH

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError where the flat metric is none of the space."""
        if not space.sliced:
            raise ValueError(
                f'kernel.field = "mse": {space.name} has no flat metric to go to; take family = "flat-torus"'
            )
