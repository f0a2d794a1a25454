"""The rungs of a flow of potentials: features degree by degree, each start made of what the one below found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from mpiflow.ansatz import Ansatz
from mpiflow.comm import Comm
from mpiflow.geometry.domain import Domain
from mpiflow.kernels.features import Draw, Features

#: Points for each feature that a rung below the last one is flowed on.
_FEW = 5


@dataclass(frozen=True)
class Ladder:
    """degrees: of the rungs, ascending. steps: on each but the last one. made: features of a degree, collective.

    draw: points that a start is fitted on, the same on all ranks.
    """

    degrees: tuple[int, ...]
    steps: int
    made: Callable[[int], Features]
    draw: Draw | None = None

    @classmethod
    def of(cls, features: Features, degree: int = 1) -> Self:
        """One rung of given features."""
        return cls((degree,), 1, lambda _: features)

    def rung(self, steps: int) -> int:
        """The one on which the step after so many is taken."""
        return min(steps // self.steps, len(self.degrees) - 1)

    def points(self, rung: int, total: int, features: int) -> int:
        """How many of the train points are enough there, the first ones."""
        return total if rung == len(self.degrees) - 1 else min(total, _FEW * features)

    def start(
        self, comm: Comm, surface: Domain, below: Features, above: Features, rung: int, ansatz: Ansatz, c: np.ndarray
    ) -> np.ndarray:
        """Coefficients at the start of a rung, (P',), from those that the one below ended with, (P,); collective."""
        degree, to = self.degrees[rung - 1], self.degrees[rung]
        return comm.led(above.lifted, surface, below, c, ansatz, degree, to, self.draw)
