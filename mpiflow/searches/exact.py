"""The closed solution of a linear flow: any time in one step (HR 2.9 - 2.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.errors import NumericalError
from mpiflow.searches.search import Search, halved

if TYPE_CHECKING:
    from mpiflow.config import Config
    from mpiflow.flows.components import ComponentFlow


class Exact(Search):
    """flow.search = "exact": from t to t + dt at once, by the eigenvectors of the kernel, for flow.loss = "mse"."""

    name = "exact"
    asks: ClassVar = frozenset({"solved"})

    def check(self, config: Config) -> None:
        """Raises ValueError where the flow has no closed solution."""
        flow = config.flow
        if not flow.loss.linear:
            raise ValueError(f'flow.search = "exact": a flow of {flow.loss.name} is not linear; take flow.loss = "mse"')
        symmetric(config, self.asker)

    def step(self, flow: ComponentFlow, dt: float) -> tuple[float, int]:
        """One step; collective."""
        trial, taken, rejected = halved(lambda time: flow.tried(flow.solved(time)), dt)
        if trial is None:
            raise NumericalError(flow.complaint(flow.solved(taken) / taken, taken))
        flow.take(trial)
        return taken, rejected


def symmetric(config: Config, asker: str) -> None:
    """Raises ValueError, with who asks, where the kernel is no symmetric matrix."""
    flow = config.flow
    if flow.normalisation == "row" or flow.coupling == "halo" or flow.clip or config.kernel.rescale:
        raise ValueError(
            f'{asker}: flow.normalisation = "row", flow.coupling = "halo", flow.clip and kernel.rescale leave '
            'no symmetric matrix to solve; take "mean" or "sum", "none" or "all", no clip and no rescaling'
        )
