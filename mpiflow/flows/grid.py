"""The flow of a metric on a real grid, under a vector field (HR 2.38 - 2.42)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpiflow.comm import Comm
from mpiflow.errors import InputError, NumericalError
from mpiflow.flows.flow import Flow
from mpiflow.grids import Space
from mpiflow.grids.fields import Field
from mpiflow.searches import Search

#: Where a state keeps the metric: rows of the grid first.
METRIC = "method/metric"
#: A step is cut in two so often before a flow gives up: a metric that shrinks to a point lets no step be long enough.
_HALVINGS = 8


@dataclass(frozen=True)
class GridRecord:
    """What one step did, and the least eigenvalue of the metric after it."""

    dt: float
    step_rejected: int
    min_eigenvalue: float


class GridFlow(Flow):
    """du/dt = field(u), u the metric on the own rows of the grid: (components, own rows, ...) float64; collective.

    time: since the start of the run. Raises InputError for what cannot be from the start (`refuse`), and NumericalError, with
    place and time, where u is no longer a positive metric.
    """

    def __init__(self, comm: Comm, space: Space, field: Field, width: float, search: Search, steps: int, dt: float):
        self.comm, self.space, self.field, self.width, self.time = comm, space, field, width, 0.0
        self.theta = space.start()
        refuse(space, field, self.theta, width, steps, dt)
        super().__init__(search, dt, self.theta)

    def step(self) -> GridRecord:
        """One step on every rank; the metric is as it was where it cannot be made."""
        before, began = self.theta, self.time
        try:
            # What is not positive shows itself as NaN, and is told.
            with np.errstate(all="ignore"):
                taken, halvings = self.search.step(self, self.dt)
        except NumericalError:
            self.theta, self.time = before, began
            raise
        self.time = began + taken
        return self.record(taken, halvings)

    @property
    def rows(self) -> slice:
        """Of the grid, those of this rank."""
        return self.space.rows

    def halvings(self, dt: float) -> int:
        """How often a step is to be halved to be stable here. Raises NumericalError where that is too often."""
        limit = self.field.step_limit(self.space, self.theta, self.width)
        for number in range(_HALVINGS + 1):
            if dt / 2**number <= limit:
                return number
        raise NumericalError(
            f"t = {self.time:.6g}: no step over {limit:.1e} is stable any more, as the least eigenvalue of the metric is "
            f"{self.least()[0]:.2e} at grid point {list(self.least()[1])}: the flow ends there; take fewer steps of flow.dt"
        )

    def velocity(self, u: np.ndarray) -> np.ndarray:
        """du/dt. Raises NumericalError where u is no positive metric."""
        self._positive(u)
        return self.field.velocity(self.space, u, self.width)

    def take(self, u: np.ndarray) -> None:
        """Go to a metric. Raises NumericalError where it is not positive."""
        self._positive(u)
        self.theta = u

    def _positive(self, u: np.ndarray) -> None:
        value, where = self.space.least(u)
        if not value > 0:
            raise NumericalError(
                f"t = {self.time:.6g} to {self.time + self.dt:.6g}: the metric loses positivity at grid point {list(where)} "
                f"(eigenvalue {value:.2e}): the flow ends there, or flow.dt is too long for it"
            )

    def least(self) -> tuple[float, tuple[int, ...]]:
        """The least eigenvalue now, and where it is."""
        return self.space.least(self.theta)

    def record(self, dt: float = 0.0, rejected: int = 0) -> GridRecord:
        """What is remembered of a step of dt that was halved so often."""
        return GridRecord(dt, rejected, self.least()[0])

    def measured(self) -> dict[str, float]:
        """Volume, curvature and what else the space knows of the metric now."""
        return self.space.measures(self.theta)

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """The metric on rank 0 (None elsewhere), rows first: (rows, ..., components); collective."""
        own = np.ascontiguousarray(np.moveaxis(self.theta, 0, -1))
        return {METRIC: self.comm.gather_rows(own) if self.space.sliced else own}

    def restore(self, rows: Callable[[str], np.ndarray]) -> None:
        """Continue from a state: rows(name) gives own rows of one of its datasets."""
        self.theta = np.ascontiguousarray(np.moveaxis(rows(METRIC), -1, 0))

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic."""
        return {
            "engine": "slabs" if self.space.sliced else "whole",
            "engine_bytes": self.theta.nbytes,
            "backend": "cpu",
        }


def refuse(space: Space, field: Field, u: np.ndarray, width: float, steps: int, dt: float) -> None:
    """Raises InputError for a flow that cannot be from a start u: its width, its time, its step; collective on slabs."""
    if 0 < width < space.spacing:
        raise InputError(
            f"kernel.width = {width:g}: is below the distance {space.spacing:.3g} of two grid points, and would not be felt; "
            "take 0 for the local flow, a wider kernel, or more points"
        )
    try:
        field.check(space, u, width, steps * dt)
    except ValueError as error:
        raise InputError(str(error)) from None
    limit = field.step_limit(space, u, width)
    if dt > limit:
        raise InputError(
            f"flow.dt = {dt:g}: steps over {limit:.4g} are not stable on this grid, with kernel.width = {width:g}; take a "
            "shorter one, or a wider kernel"
        )
