"""A committed state, read by rank 0, and the rows of it that each rank continues from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.dataset import PointSet, target_layout, train_layout
from mpiflow.ranks.exchange import Exchange
from mpiflow.sampling import Points
from mpiflow.state import provenance
from mpiflow.state.load import State

_POINTS = ("points/z", "points/chart", "points/weight", "points/omega2")


class Restart:
    """A state spread over the ranks; collective to build. state: on rank 0, None elsewhere."""

    def __init__(self, comm: Comm, state: State | None):
        self.comm, self.state = comm, state
        self.step: int = comm.bcast(state and state.step)
        self.attributes: dict = comm.bcast(state and state.attributes)
        history = (
            {name: array for name, array in state.arrays.items() if name.startswith("history/")} if state else None
        )
        self.history: dict[str, np.ndarray] = comm.bcast(history)
        shapes = {name: (array.shape, array.dtype) for name, array in state.arrays.items()} if state else None
        self._shapes = comm.bcast(shapes)

    def rows(self, name: str, wanted: np.ndarray | None) -> np.ndarray:
        """Rows of a dataset by their numbers, in that order, or (None) all of it; collective."""
        if wanted is None:
            return self.comm.bcast(self.state and self.state.arrays[name])
        shape, dtype = self._shapes[name]
        array = self.state.arrays[name] if self.state else np.empty((0, *shape[1:]), dtype)
        return Exchange(self.comm, np.arange(len(array)), wanted)(array)

    def reader(self, own: np.ndarray) -> Callable[..., np.ndarray]:
        """rows(name) gives the rows `own` of a dataset, rows(name, None) all of it; each call is collective."""
        return lambda name, wanted=own: self.rows(name, wanted)

    def points(self, config: Config) -> tuple[PointSet, PointSet]:
        """Train and test points with the clusters and ownership they had, for this number of ranks; collective."""
        label = self.comm.bcast(self.state and self.state.arrays["clusters/label"])
        train = train_layout(self.comm, label[: config.points.train], config)
        test = target_layout(self.comm, label[config.points.train :], train)
        return self._set(train, 0), self._set(test, config.points.train)

    def seconds_a_step(self) -> float | None:
        """How long a step took on the slowest rank of the start that wrote the state; None where it made none. Collective."""
        started = provenance.begun(self.attributes.get("provenance", ""))
        if "timing/flow" not in self._shapes or self.step <= started:
            return None
        return float(self.rows("timing/flow", None).max()) / (self.step - started)

    def release(self) -> None:
        """Let the arrays go: the flow has what it needs, and rank 0 no room for a second copy of a large state."""
        if self.state:
            self.state.arrays.clear()

    def _set(self, layout, offset: int) -> PointSet:
        wanted = layout.rows + offset
        points = Points(*(self.rows(name, wanted) for name in _POINTS))
        return PointSet(layout, points, self.rows("clusters/batch_label", wanted))
