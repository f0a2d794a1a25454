"""The natural gradient: C is the inverse of the normal matrix of log eta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpiflow.preconditioners.preconditioner import Applied, Preconditioner, inverse

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow

#: Most iterations of conjugate gradients in one application of a C without its matrix.
INNER = 60


class Natural(Preconditioner):
    """kernel.preconditioner = "natural": the inverse of the normal matrix M of log eta (theory 4).

    It is factorised; of features that know an approximate inverse, it is applied by conjugate gradients.
    """

    name = "natural"
    factorises = inverts = True

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """M^-1 at a metric; collective."""
        from mpiflow.flows.linearised import Linearised, conjugate_gradients

        if flow.inverse is None:
            return normal(flow, state)
        linear = Linearised(flow.problem, state, flow.inverse)
        return lambda gradient: conjugate_gradients(linear, gradient, flow.rule.flat, INNER)


def normal(flow: KaehlerFlow, state: State, diagonal: bool = False, factor: float | np.ndarray = 1.0) -> Applied:
    """M^-1, or that of its diagonal, by its factor, which rank 0 alone holds; factor: of the weights of points; collective.

    A warm start acts on functions up to a degree until it is frozen anew: far from g_FS the highest ones only hinder.
    """
    rule = flow.rule
    gram = flow.problem.engine.gram(flow.problem.slope(state), flow.problem.weight * factor, state.residual)
    active = np.arange(len(flow.features))
    if rule.warm and not state.coefficients.any():
        active = np.flatnonzero(flow.features.degrees <= rule.warm)
    kept = np.append(active, [-2, -1])
    chosen = None if gram is None else gram[np.ix_(kept, kept)]
    solved = inverse(flow.chunks.comm, chosen, rule.flat, diagonal)

    def applied(gradient: np.ndarray) -> np.ndarray:
        direction = np.zeros_like(gradient)
        direction[active] = solved(gradient[active])
        return direction

    return applied
