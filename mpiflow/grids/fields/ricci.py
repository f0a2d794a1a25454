"""The Ricci flow, in four gauges, with lowered or literal indices (HR 2.38 - 2.42)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mpiflow.grids import gauges
from mpiflow.grids.fields.field import Field
from mpiflow.grids.space import Space


class Ricci(Field):
    """kernel.field = "ricci": -2 (Ric + the gauge's Lie derivative), Perelman's among them."""

    gauge: Literal["hamilton", "deturck", "lambda", "perelman"] = "hamilton"
    """Which diffeomorphisms go with it: none, those of a flat background, of the ground state of -4 Lap + R, or of a
    fixed measure."""
    index: Literal["lowered", "frobenius"] = "lowered"
    """Whether the upper indices of the slope of Perelman's functional are lowered, or stay as HR 2.13 has them."""

    name = "ricci"

    @property
    def effort(self) -> tuple[float, float]:
        """The ground state takes a dozen of its own steps."""
        return (6.0, 18.0) if self.gauge == "lambda" else (1.0, 0.0)

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """du/dt at u; collective on slabs."""
        if self.index == "lowered":
            return space.ricci(u, width, self.gauge)
        return space.ricci(u, width, self.gauge, self.index)

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError for a gauge that a space has not, and for a fixed measure beyond its safe time."""
        if self.gauge not in space.gauges:
            raise ValueError(
                f'kernel.field.gauge = "{self.gauge}": {space.name} knows {", ".join(space.gauges)}; take one of them'
            )
        if self.index == "frobenius" and not space.sliced:
            raise ValueError(f'kernel.field.index = "frobenius": {space.name} has no other components; take "lowered"')
        if self.gauge != "perelman":
            return
        safe = gauges.safe_time(space.spectral.rate(width), space.least(u)[0])
        if time > safe:
            raise ValueError(
                f'kernel.field.gauge = "perelman": with a fixed measure it is a backward heat equation for some modes, and '
                f"rounding errors are 1e-6 at t = {safe:.3g}, before flow.steps * flow.dt = {time:.3g}; shorten the flow, "
                "take a wider kernel (kernel.width), or another gauge"
            )
