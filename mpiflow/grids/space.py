"""What a space of metrics on a real grid is to the rest: arrays in, arrays out."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpiflow.grids.manifold import Grid, offered
from mpiflow.grids.whole import Whole
from mpiflow.settings.section import Section


class Keys(Section):
    """Keys of [manifold] that a space has beside its name."""


class Space:
    """Metrics on one grid; a metric is (components, *shape) float64.

    name: what [manifold] family says. components: numbers a grid point holds. shape: of the grid. gauges: those that its
    Ricci flow knows, the first the usual one. sliced: whether a rank may have a slab of it (`placed`), so that a metric is
    (components, own rows, ...) there and every function collective; else every rank has all. offers: what the door of
    [manifold] finds.
    """

    name: ClassVar[str] = ""
    components: ClassVar[int] = 1
    gauges: ClassVar[tuple[str, ...]] = ("hamilton",)
    sliced: ClassVar[bool] = False
    offers: ClassVar[type[Grid]]
    #: What a velocity takes: transforms of a field, or what takes as long, and fields at its peak; and those of a start.
    transforms: float = 10
    fields: float = 20
    starting: float = 10
    shape: tuple[int, ...]
    Keys: ClassVar[type[Keys]] = Keys

    def __init_subclass__(cls) -> None:
        cls.offers = offered(cls)

    def __init__(self, keys: Keys):
        self.keys = keys

    def start(self) -> np.ndarray:
        """The initial metric of the keys: (components, *shape)."""
        raise NotImplementedError

    def ricci(self, u: np.ndarray, width: float, gauge: str) -> np.ndarray:
        """du/dt of the Ricci flow of kernel width `width`, 0 the local one: the shape of u."""
        raise NotImplementedError

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s of one field."""
        raise NotImplementedError

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest stable step of RK4 at u."""
        raise NotImplementedError

    def least(self, u: np.ndarray) -> tuple[float, tuple[int, ...]]:
        """The least eigenvalue of the metric, and where it is; here of metrics that are diagonal."""
        lowest = u.min(axis=0)
        where = np.unravel_index(lowest.argmin(), lowest.shape)
        return float(lowest[where]), tuple(map(int, where))

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """What is printed of a metric."""
        raise NotImplementedError

    def exact(self, t: float) -> np.ndarray | None:
        """The exact solution of the local flow at time t for this start, where there is one."""
        return None

    @property
    def spacing(self) -> float:
        """The distance of neighbours on the grid, which no kernel may be narrower than; 0 where any may."""
        return 0.0

    @property
    def rows(self) -> slice:
        """Rows of axis 0 that this rank has."""
        return slice(0, self.shape[0])

    def placed(self, slab: Whole) -> Space:
        """The same space on a rank that has a slab of it."""
        return self
