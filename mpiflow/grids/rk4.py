"""The classical Runge-Kutta step of fourth order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Where its stability region ends on the negative axis.
REACH = 2.785293563405282


def step(velocity: Callable[[np.ndarray], np.ndarray], u: np.ndarray, dt: float) -> np.ndarray:
    """u after a time dt under du/dt = velocity(u), any shape; the error of a step is of order dt^5."""
    first = velocity(u)
    second = velocity(u + 0.5 * dt * first)
    third = velocity(u + 0.5 * dt * second)
    fourth = velocity(u + dt * third)
    return u + dt / 6 * (first + 2 * second + 2 * third + fourth)
