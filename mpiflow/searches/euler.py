"""Euler's method: the discretised flow of HR 3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpiflow.searches.search import Search, descended

if TYPE_CHECKING:
    from mpiflow.flows.flow import Flow


class Euler(Search):
    """flow.search = "euler": theta <- theta - dt direction, halved until the flow accepts it."""

    name = "euler"

    def step(self, flow: Flow, dt: float) -> tuple[float, int]:
        """One step; collective."""
        return descended(flow, flow.direction(), dt)
