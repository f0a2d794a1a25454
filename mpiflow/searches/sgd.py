"""Plain descent on mini-batches: a flow under the network's own moving kernel, discretised (HR 2.7, 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.searches.search import Search

if TYPE_CHECKING:
    from mpiflow.network.flow import NetworkFlow


class Sgd(Search):
    """flow.search = "sgd": one pass over all points, for each mini-batch parameters <- parameters - dt slope of its mean loss.

    With network.batch of all points a step is one of the gradient flow; with fewer it has the noise of random batches.
    """

    name = "sgd"
    asks: ClassVar = frozenset({"epoch"})

    def step(self, flow: NetworkFlow, dt: float) -> tuple[float, int]:
        """One epoch; collective."""
        return flow.epoch(dt, plain=True), 0
