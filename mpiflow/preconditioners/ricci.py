"""The Kaehler-Ricci flow in place of a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.preconditioners.preconditioner import Applied, Preconditioner

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow


class Ricci(Preconditioner):
    """kernel.preconditioner = "ricci": d phi / dt = log eta, the Kaehler-Ricci flow, projected on the features (theory 4)."""

    name = "ricci"
    asks: ClassVar = frozenset({"hessians"})
    factorises = True
    lowers = False

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """Nothing is frozen: there is no gradient."""
        return lambda gradient: gradient

    def direction(self, flow: KaehlerFlow, c: Applied) -> np.ndarray:
        """Minus log eta, less its mean, projected on the features; collective."""
        from mpiflow.kernels import kaehler

        chunks, features = flow.chunks, flow.features
        state, problem = flow.state, flow.problem
        each = chunks.each(flow.frame.z, problem.weight, state.residual, problem.phi.rate(state.jets))
        partials = (kaehler.gram(features.values(z) * s, chunks.zeroed(w, rows), r) for rows, (z, w, r, s) in each)
        gram, direction = chunks.tree((len(features) + 2,) * 2, partials), None
        with chunks.comm.lead() as mine:
            if mine:
                normal = kaehler.Normal(gram, flow.rule.flat)
                direction = -normal.solve(normal.right)
        return chunks.comm.bcast(direction)
