"""What a space of metrics on a real grid is: the keys of its table [manifold], and what a flow asks of it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpiflow.grids.whole import Whole
from mpiflow.settings.section import Manifold

#: The largest |z| with -z on the real axis at which a Runge-Kutta step of order four does not grow.
RK4 = 2.785293563405282


class Space(Manifold):
    """Metrics of a class on a grid; `name` and the fields of a subclass are its keys in [manifold], pure but for them.

    A metric is an array u, (components, *shape) float64. gauges: what `ricci` knows. slabs: whether `placed` leaves a rank
    the rows of axis 0 that are its own, so that u is (components, own rows, ...); else every rank has all.
    """

    real = True
    gauges: ClassVar[tuple[str, ...]] = ("hamilton",)
    slabs: ClassVar[bool] = False
    #: Numbers that a grid point holds, and the shape of the grid: of a class, or properties.
    components: ClassVar[int]
    shape: ClassVar[tuple[int, ...]]

    def start(self) -> np.ndarray:
        """The metric of the keys, of which flows start."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no start(self); give it one')

    def ricci(self, u: np.ndarray, width: float, gauge: str) -> np.ndarray:
        """du/dt of the Ricci flow (HR 2.39), non-local of a kernel of this width, 0: local."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no ricci(self, u, width, gauge)')

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s of one field, the normalised Gaussian of this width (HR 2.27)."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no smoothed(self, field, width)')

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest Runge-Kutta step of the Ricci flow that is stable at u."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no step_limit(self, u, width)')

    def least(self, u: np.ndarray) -> tuple[float, tuple[int, ...]]:
        """The least eigenvalue of the metric, and the grid point where it is; of all ranks."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no least(self, u)')

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """What is remembered of a metric: its volume, the integral of R, and what else is known; of all ranks."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no measures(self, u)')

    def exact(self, t: float) -> np.ndarray | None:
        """The Ricci flow of this start at a time where it is known in closed form; None where it is not."""
        return None

    @property
    def spacing(self) -> float:
        """The distance of two grid points, below which no kernel is felt; 0 where any width will do."""
        return 0.0

    def placed(self, slab: Whole) -> Space:
        """The same space on a rank that has a slab of it."""
        return self

    def domain(self) -> Space:
        """The space itself: there is nothing to look for."""
        return self
