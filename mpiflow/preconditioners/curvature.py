"""The natural gradient of the Calabi functional: C is the inverse of the normal matrix of the scalar curvature."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.preconditioners.preconditioner import Applied, Preconditioner, inverse

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow


class Curvature(Preconditioner):
    """kernel.preconditioner = "curvature": the inverse of <eta dR dR^T>; for flow.loss = "calabi" with refreeze = 1, dt = 1/2.

    Functions of frequency l change R by l^2: without it explicit steps of that loss are as short as 1 / l^4.
    """

    name = "curvature"
    asks: ClassVar = frozenset({"second"})
    factorises = True

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """The inverse at a metric; collective."""
        from mpiflow.functionals.calabi import changes, curved
        from mpiflow.kernels import kaehler

        chunks, problem = flow.chunks, flow.problem
        each = zip(curved(problem, state), chunks.each(problem.measure * state.eta), strict=True)
        partials = (
            kaehler.gram(changes(features, v), chunks.zeroed(weight, rows), scalar)
            for (rows, features, scalar, v), (_, (weight,)) in each
        )
        gram = chunks.tree((len(flow.features) + 2,) * 2, partials)
        return inverse(chunks.comm, gram, flow.rule.flat)
