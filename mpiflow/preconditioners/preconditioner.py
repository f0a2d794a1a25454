"""What a preconditioner is: C of the kernel F C F^T of potentials, by which a slope of the loss becomes a direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.errors import InputError
from mpiflow.settings.section import Named

if TYPE_CHECKING:
    from mpiflow.comm import Comm
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow

#: C applied to a gradient (P,), the same on every rank; collective.
Applied = Callable[[np.ndarray], np.ndarray]


class Preconditioner(Named):
    """What `frozen` gives is used until it is frozen anew (kernel.refreeze).

    asks: what features must answer, "hessians" where it takes them one by one. factorises: whether a matrix of all features is
    factorised, which more points than features determine. inverts: whether features that know about the inverse of their
    normal matrix are asked for it. lowers: whether a step promises to lower the loss. beside: whether it keeps features with
    their first derivatives of its own, and makes two matrices of all of them in each step.
    """

    asks: ClassVar[frozenset[str]] = frozenset()
    factorises: ClassVar[bool] = False
    inverts: ClassVar[bool] = False
    lowers: ClassVar[bool] = True
    beside: ClassVar[bool] = False

    def frozen(self, flow: KaehlerFlow, state: State) -> Applied:
        """C at a metric; collective."""
        raise NotImplementedError(f"kernel.preconditioner = {self.name}: its class has no frozen(self, flow, state)")

    def direction(self, flow: KaehlerFlow, c: Applied) -> np.ndarray:
        """What the flow descends along, (P,), under the C of now; collective."""
        if not callable(c):
            raise InputError(
                f'kernel.preconditioner = "{self.name}": its frozen returned {c!r:.60}; it must return a function'
            )
        return c(flow.problem.gradient(flow.state))


def inverse(comm: Comm, gram: np.ndarray | None, ridge: float, diagonal: bool = False) -> Applied:
    """M^-1 of a normal matrix (`kernels.kaehler.Normal`) by its factor, which rank 0 alone holds, as the matrix; collective."""
    from mpiflow.kernels.kaehler import Normal

    solver = None
    with comm.lead() as mine:
        if mine:
            solver = Normal(gram, ridge, diagonal)
    return lambda gradient: comm.bcast(solver.solve(gradient) if solver else None)
