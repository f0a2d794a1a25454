"""What a search is, and the halving of steps, which is done here alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from mpiflow.errors import NumericalError
from mpiflow.settings.section import Named

if TYPE_CHECKING:
    from mpiflow.flows.flow import Flow

#: A step that may not be taken is halved this often before a flow gives up.
HALVINGS = 30

Trial = TypeVar("Trial")


class Search(Named):
    """A rule for one step of a flow; its fields are keys of the table [flow.search].

    asks: what the flow must answer, "direction" or what few can. wants: the keys of flows that do, told to who has others.
    remembers: names of what it keeps from step to step in the flow's memory, arrays of the shape of a direction, zero at
    first; states hold them. cure: what is told where a kernel cannot be solved that it asks for so.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"direction"})
    wants: ClassVar[str] = ""
    remembers: ClassVar[tuple[str, ...]] = ()
    cure: ClassVar[str] = 'take kernel.name = "relu", or flow.search = "euler"'

    @property
    def asker(self) -> str:
        """Its place in the run file."""
        return f'flow.search = "{self.name}"'

    @property
    def solves(self) -> bool:
        """Whether a preconditioner or its normal matrix is asked for."""
        return bool(self.asks & {"direction", "linearised"})

    def step(self, flow: Flow, dt: float) -> tuple[float, int]:
        """One step on every rank; returns the dt that was taken and how often it was halved. Collective.

        Raises NumericalError where no halved step may be taken.
        """
        raise NotImplementedError(f"flow.search = {self.name}: its class has no step(self, flow, dt); give it one")


def halved(tried: Callable[[float], Trial | None], dt: float) -> tuple[Trial | None, float, int]:
    """The first that `tried` finds at dt, dt/2, ...: what it found, there, and the number of halvings; None after HALVINGS."""
    for rejected in range(HALVINGS + 1):
        if (trial := tried(dt)) is not None:
            return trial, dt, rejected
        dt /= 2
    return None, dt, rejected


def descended(flow: Flow, direction: np.ndarray, dt: float) -> tuple[float, int]:
    """Take the longest of the steps dt, dt/2, ... against a direction that the flow accepts; collective."""
    trial, taken, rejected = halved(lambda length: flow.tried(length * direction), dt)
    if trial is None:
        raise NumericalError(flow.complaint(direction, dt))
    flow.take(trial)
    return taken, rejected
