"""What every flow answers: to the job that drives it, and to the search that moves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpiflow.dataset import PointSet
from mpiflow.errors import InputError
from mpiflow.flows.history import Record
from mpiflow.flows.predictor import Predictor
from mpiflow.searches import Search


class Flow:
    """A metric that a search moves step by step. search, dt: of [flow]; theta: what it moves, which each flow says.

    A search asks for `direction`, tries steps and takes one of them; every one of these is collective.
    """

    def __init__(self, search: Search, dt: float, theta):
        self.search, self.dt = search, dt
        self.memory = {name: theta * 0.0 for name in search.remembers}

    def step(self) -> Record:
        """One step on every rank; collective. Raises NumericalError where the flow breaks down."""
        return self.record(*_taken(self.search, self.search.step(self, self.dt)))

    def direction(self) -> np.ndarray:
        """The kernel's image of the slope of the loss, to be descended along: shape of theta."""
        raise NotImplementedError

    def tried(self, step: np.ndarray) -> Any:
        """theta - step as `take` takes it, None where the flow may not go there."""
        raise NotImplementedError

    def take(self, trial: Any) -> None:
        """Go to what was tried."""
        raise NotImplementedError

    def complaint(self, direction: np.ndarray, dt: float) -> str:
        """Why no step against a direction is accepted, with the cure."""
        raise NotImplementedError

    def record(self, dt: float = 0.0, rejected: int = 0) -> Record:
        """The present losses, after a step of dt that was halved so often; collective."""
        raise NotImplementedError

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """All that a restart needs, in point order on rank 0 (None elsewhere); collective."""
        raise NotImplementedError

    def restore(self, rows: Callable[..., np.ndarray]) -> None:
        """Continue from a state: rows(name) gives own train rows of one of its datasets, rows(name, None) all; collective."""
        raise NotImplementedError

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic: the same on every rank but for bytes, which are this rank's."""
        raise NotImplementedError

    def predictor(self) -> Predictor:
        """The metric at any targets, as of now."""
        raise NotImplementedError

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128; each call is collective."""
        raise NotImplementedError


def _taken(search: Search, found: object) -> tuple[float, int]:
    """What a step returned. Raises InputError where it is no dt and number of halvings, as of a user's it may be."""
    match found:
        case (float() | int() | np.floating(), int() | np.integer()):
            return float(found[0]), int(found[1])
    raise InputError(
        f"{search.asker}: its step returned {found!r:.60}; it must return the dt that was taken and how often it was halved"
    )
