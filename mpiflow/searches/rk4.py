"""The classical Runge-Kutta method, for flows that are a vector field and no descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpiflow.grids import rk4
from mpiflow.searches.search import Search

if TYPE_CHECKING:
    from mpiflow.flows.flow import Flow


class RungeKutta(Search):
    """flow.search = "rk4": a step of order four, cut into equal parts where the flow says that it would not be stable."""

    name = "rk4"
    asks = frozenset({"velocity"})

    def step(self, flow: Flow, dt: float) -> tuple[float, int]:
        """One step; collective. Raises NumericalError where the flow leaves the positive metrics."""
        halvings = flow.halvings(dt)
        for _ in range(2**halvings):
            flow.take(rk4.step(flow.velocity, flow.theta, dt / 2**halvings))
        return dt, halvings
