"""No preconditioner: C = 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpiflow.preconditioners.preconditioner import Applied, Preconditioner

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow


class Plain(Preconditioner):
    """kernel.preconditioner = "plain": C = 1."""

    name = "plain"

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """The gradient as it is."""
        return lambda gradient: gradient
