"""Jacobi's preconditioner: C is the inverse of the normal matrix' diagonal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.preconditioners.natural import normal
from mpiflow.preconditioners.preconditioner import Applied, Preconditioner

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow


class Diagonal(Preconditioner):
    """kernel.preconditioner = "diagonal": the inverse of the diagonal of the normal matrix."""

    name = "diagonal"
    asks: ClassVar = frozenset({"hessians"})
    factorises = True

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """The inverse at a metric; collective."""
        return normal(flow, state, diagonal=True)
