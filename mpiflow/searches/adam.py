"""Adam on mini-batches: how networks are trained (HR 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.searches.search import Search

if TYPE_CHECKING:
    from mpiflow.flows.flow import Flow


class Adam(Search):
    """flow.search = "adam": one pass over all points at the rate dt, a step of Adam for each mini-batch."""

    name = "adam"
    asks: ClassVar = frozenset({"epoch"})

    def step(self, flow: Flow, dt: float) -> tuple[float, int]:
        """One epoch; collective."""
        return flow.epoch(dt), 0
