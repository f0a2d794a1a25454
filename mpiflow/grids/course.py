"""A flow of metrics on a grid to a time, each step a share of the longest that is stable where it begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.grids import rk4
from mpiflow.grids.space import Space


def flowed(
    space: Space,
    time: float,
    width: float = 0.0,
    u: np.ndarray | None = None,
    share: float = 0.5,
    velocity: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """u after a time, backwards where it is negative, by Ricci flow of the first gauge of the space or by a velocity.

    u: of the start of the space where there is none. It stops early, at what has no longest step, where u is not positive.
    """
    u, left = space.start() if u is None else u, time
    velocity = velocity or (lambda u: space.ricci(u, width, space.gauges[0]))
    while left and space.least(u)[0] > 0:
        dt = np.clip(left, -(longest := share * space.step_limit(u, width)), longest)
        u, left = rk4.step(velocity, u, dt), left - dt
    return u
