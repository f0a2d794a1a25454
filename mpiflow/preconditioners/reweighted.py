"""Least squares with weights that make them any loss: for those that a square is no model of, as sigma."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.functional import of_etas
from mpiflow.preconditioners.natural import normal
from mpiflow.preconditioners.preconditioner import Applied, Preconditioner

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow

#: log eta below which the weight of a point is that at this value, on either side of 1.
_LEAST = 1e-12


class Reweighted(Preconditioner):
    """kernel.preconditioner = "reweighted": M^-1, each point weighed by l'(eta) eta / log eta; with refreeze = 1 and dt = 1.

    A step is then the least squares solution with these weights (theory 4); kernel.ridge is relative to their M.
    """

    name = "reweighted"
    asks: ClassVar = frozenset({"hessians"})
    factorises = True

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """M^-1 at a metric; collective."""
        residual = np.where(np.abs(state.residual) < _LEAST, _LEAST, state.residual)
        eta = np.exp(residual)
        return normal(flow, state, factor=np.maximum(of_etas(flow.problem.loss, "slope", eta) * eta / residual, 0.0))
