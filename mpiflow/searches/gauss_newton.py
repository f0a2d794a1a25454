"""Gauss-Newton for log eta = const over a frozen space of potentials: the flow's end point in five steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.errors import NumericalError
from mpiflow.searches.search import HALVINGS, Search, halved
from mpiflow.settings.section import Count

if TYPE_CHECKING:
    import numpy as np

    from mpiflow.flows.monge_ampere import MongeAmpere, State
    from mpiflow.flows.potentials import KaehlerFlow

#: A step is kept where the least eigenvalue falls by no more than this factor: positive metrics that are nearly not so
#: have a large log eta next, and cost more steps than they save.
_SHRINK = 0.2


class GaussNewton(Search):
    """flow.search = "gauss-newton": dt of the step to the least squares solution of log eta = const, linearised (theory 4).

    inner: the most iterations of conjugate gradients in one step, for many features; without it the normal matrix is
    factorised. kernel.ridge is relative to its diagonal. At the end of the search a step moves nothing.
    """

    inner: Count | None = None
    """Most iterations of conjugate gradients in a step; without it the normal matrix is factorised. e.g. 60"""

    name = "gauss-newton"
    asks: ClassVar = frozenset({"linearised"})

    def step(self, flow: KaehlerFlow, dt: float) -> tuple[float, int]:
        """One step; collective. Raises NumericalError where the normal matrix is singular, or no step is positive definite."""
        trial, taken, rejected = shortened(flow.problem, flow.state, flow.linearised(self.inner), dt)
        flow.take(trial)
        return taken, rejected


def shortened(problem: MongeAmpere, before: State, direction: np.ndarray, dt: float) -> tuple[State, float, int]:
    """The longest of the steps dt, dt/2, ... that lowers the loss, its dt and the halvings; `before` and 0 where none does.

    Raises NumericalError where not even the shortest is positive definite. Collective.
    """
    least = []

    def tried(length: float) -> State | None:
        trial = problem.at(before.coefficients + length * direction)
        least.append(trial.least)
        lowered = trial.objective <= before.objective * (1 + 1e-9) + 1e-30
        return trial if trial.least > _SHRINK * before.least and lowered else None

    trial, taken, rejected = halved(tried, dt)
    if trial is None and not least[-1] > 0:
        raise NumericalError(
            f"Gauss-Newton, flow.dt = {dt:g}: the metric loses positivity (eigenvalue {least[-1]:.1e}) even after {HALVINGS} "
            f"halvings; take {'flow.dt = 1, ' if dt > 1 else ''}more points, a lower kernel.degree or a larger kernel.ridge"
        )
    return (trial, taken, rejected) if trial else (before, 0.0, rejected)
