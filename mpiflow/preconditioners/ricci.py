"""The Kaehler-Ricci flow in place of a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.preconditioners.plain import Plain
from mpiflow.preconditioners.preconditioner import Applied

if TYPE_CHECKING:
    from mpiflow.flows.potentials import KaehlerFlow


class Ricci(Plain):
    """kernel.preconditioner = "ricci": d phi / dt = log eta, the Kaehler-Ricci flow, projected on the features (theory 4)."""

    name = "ricci"
    asks: ClassVar = frozenset({"hessians"})
    factorises = True
    lowers = False

    def direction(self, flow: KaehlerFlow, c: Applied) -> np.ndarray:
        """Minus log eta, less its mean, projected on the features; collective."""
        from mpiflow.kernels import kaehler

        chunks, features = flow.chunks, flow.features
        state, problem = flow.state, flow.problem
        each = chunks.each(flow.frame.z, problem.weight, state.residual, problem.phi.rate(state.jets))
        partials = (kaehler.gram(features.values(z) * s, chunks.zeroed(w, rows), r) for rows, (z, w, r, s) in each)
        gram = chunks.tree((len(features) + 2,) * 2, partials)
        return chunks.comm.led(kaehler.step, gram, flow.rule.flat)
