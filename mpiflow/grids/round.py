"""Metrics that are functions of one angle of a round sphere: what their spaces have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from mpiflow.grids import rk4
from mpiflow.grids.space import Keys, Space
from mpiflow.grids.zonal import Zonal


class Round(Space):
    """A function (1, n) of an angle times a metric that is known. A subclass has `harmonics`, `diffusivity` and `form`."""

    harmonics: ClassVar[Callable[[int], Zonal]]

    def __init__(self, keys: Keys):
        super().__init__(keys)
        self.shape = (keys.points,)
        self.round = type(self).harmonics(keys.points)

    @property
    def spacing(self) -> float:
        """The distance of neighbours, about, on the unit sphere."""
        return np.pi / self.keys.points

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s on the round unit sphere, all but a point of which is the plane: (n,) to (n,)."""
        return self.round.smoothed(field, width)

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest stable step of RK4 at u, of the terms of second order."""
        return rk4.REACH / self.round.rate(self.diffusivity(u), width)

    def diffusivity(self, u: np.ndarray) -> np.ndarray:
        """What the Laplacian of the sphere is multiplied by at u: (n,)."""
        return 1 / u[0]

    def form(self, u: np.ndarray) -> np.ndarray:
        """Weights of an integral over the volume of u: (n,)."""
        raise NotImplementedError

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """volume, integrals of R and R^2, the greatest |R|, and how far u is from round: (max - min) / mean."""
        form = self.form(u)
        return (
            {"volume": float(form.sum())}
            | integrals(self.scalar(u), form)
            | {"unround": float(np.ptp(u[0]) / u[0].mean())}
        )


def integrals(scalar: np.ndarray, form: np.ndarray) -> dict[str, float]:
    """The integrals of R and R^2, (n,), over a form (n,), and the greatest |R|."""
    return {
        "integral_R": float(form @ scalar),
        "integral_R2": float(form @ scalar**2),
        "greatest_R": float(np.abs(scalar).max()),
    }
