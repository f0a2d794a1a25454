"""A flow on a torus under another kernel than the Gaussian, and another measure (HR 2.27, 2.28, 2.31 - 2.37)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mpiflow.grids.beside import Beside
from mpiflow.grids.fields.field import Field
from mpiflow.grids.space import Space
from mpiflow.grids.spread import Spread

#: What is kept of the step limit that a power iteration finds.
_KEPT = 0.9
#: Transforms of a smoothing over those of a velocity.
_SMOOTHING = 0.27


@dataclass(frozen=True)
class Weighted:
    """A field's local velocity v under du/dt = int alpha(x, x') N_s(x, x') v(x') r(x') dx', with the verbs of a field.

    alpha(x, x') = 1 + alpha cos x_1 cos x_1', positive as a kernel, in each component alike. r = 1 + density cos x_2; or of
    `batch` grid points, drawn by a seed, each with its share of the volume: what they know of the continuum. units: of a
    cosine network drawn by the seed, in place of N_s. beside: factors of a class, ours or a user's. Torus alone.
    """

    field: Field
    alpha: float
    density: float
    batch: int | None
    seed: int
    units: int | None = None
    beside: Beside | None = None

    @property
    def effort(self) -> tuple[float, float]:
        """That of the field, its smoothings, and r; modes of the units, and h."""
        work, fields = self.field.effort
        smoothings = (3 if self.alpha else 1) + (self.beside is not None)
        return work + _SMOOTHING * smoothings, fields + 1 + 2 * ((self.units is not None) + (self.beside is not None))

    def pairs(self, space: Space) -> int:
        """Pairs of grid points whose alpha a velocity sums over."""
        if self.beside is None or self.beside.alpha is None:
            return 0
        return space.components * (2 if self.alpha else 1) * int(np.prod(space.shape)) ** 2

    @cached_property
    def _made(self) -> dict[tuple[Space, float], Spread]:
        return {}

    def spread(self, space: Space, width: float) -> Spread:
        """The operator, which is kept."""
        if (space, width) not in self._made:
            self._made[space, width] = Spread(space, width, self)
        return self._made[space, width]

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """du/dt at u; collective on slabs."""
        spread = self.spread(space, width)
        return np.stack([spread(part) for part in self.field.velocity(space, u, 0.0)])

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """The field's, over how much faster than N_s alone this moves a wave; collective on slabs."""
        rate = max(self.spread(space, width).rates)
        return _KEPT * self.field.step_limit(space, u, width) / rate if rate else np.inf

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError for what is no torus, has two measures or kernels, or is summed over what nothing feels."""
        if not space.sliced:
            raise ValueError(
                "kernel.alpha, kernel.density, kernel.batch, kernel.units, kernel.beside: are of a torus, and "
                f'manifold.family = "{space.name}" is none of all metrics; remove them, or take "flat-torus"'
            )
        if self.batch is not None and (self.density or not width):
            raise ValueError(
                f"kernel.batch = {self.batch}: its points are the density, and without a kernel.width nothing feels them; "
                "give a width, and leave out kernel.density"
            )
        if self.units is not None and not width:
            raise ValueError(
                f"kernel.units = {self.units}: networks are of a kernel.width, the inverse of the spread of their "
                "frequencies; give one"
            )
        if getattr(self.field, "gauge", "") == "perelman":
            raise ValueError(
                'kernel.field.gauge = "perelman": its safe time is known under the Gaussian alone; leave out kernel.alpha, '
                "kernel.density, kernel.batch, kernel.units and kernel.beside, or take another gauge"
            )
        if self.beside is not None:
            self.beside.fits(len(space.shape))
            if self.units is not None and self.beside.alpha is not None:
                raise ValueError(
                    f'kernel.units = {self.units}: alpha of kernel.beside = "{self.beside.name}" is summed over pairs of '
                    "points with the Gaussian itself; leave out one of the two"
                )
        self.field.check(space, u, width, time)
