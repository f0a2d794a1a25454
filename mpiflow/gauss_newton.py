"""Gauss-Newton for log eta = const over a frozen feature space: the flow's end point in five steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow.errors import NumericalError
from mpiflow.kernels.kaehler import Normal
from mpiflow.monge_ampere import MongeAmpere, State

#: Halvings of one step before the solver gives up.
HALVINGS = 30
#: A step is kept where the least eigenvalue falls by no more than this factor: positive metrics that are nearly not so
#: have a large log eta next, and cost more steps than they save.
_SHRINK = 0.2


@dataclass(frozen=True)
class Solution:
    """Coefficients (P,), the losses after each iteration, and whether the last one still lowered the loss."""

    coefficients: np.ndarray
    losses: list[float]
    converged: bool


def solve(problem: MongeAmpere, start: np.ndarray, iterations: int = 12, ridge: float = 0.0) -> Solution:
    """Minimise the w-mean of (log eta - mean)^2 from a start (P,); collective.

    Raises NumericalError where the normal matrix is singular, or where no step along a direction is positive definite.
    """
    state = problem.at(start)
    losses = [state.loss]
    for _ in range(iterations):
        gram = problem.engine.gram(state.inverse, problem.weight, state.residual)
        direction = _on_first(problem, lambda gram=gram: _direction(gram, ridge))
        state = _shortened(problem, state, direction)
        losses.append(state.loss)
        if losses[-1] > 0.999 * losses[-2]:
            return Solution(state.coefficients, losses, True)
    return Solution(state.coefficients, losses, False)


def _direction(gram: np.ndarray, ridge: float) -> np.ndarray:
    normal = Normal(gram, ridge)
    return -normal.solve(normal.right)


def _on_first(problem: MongeAmpere, compute) -> np.ndarray:
    comm, result = problem.engine.chunks.comm, None
    with comm.lead() as mine:
        if mine:
            result = compute()
    return comm.bcast(result)


def _shortened(problem: MongeAmpere, state: State, direction: np.ndarray) -> State:
    length = 1.0
    for _ in range(HALVINGS):
        trial = problem.at(state.coefficients + length * direction)
        if trial.least > _SHRINK * state.least and trial.loss <= state.loss * (1 + 1e-9) + 1e-30:
            return trial
        length /= 2
    if trial.least > 0:
        return state
    raise NumericalError(
        f"Gauss-Newton: the metric loses positivity (eigenvalue {trial.least:.1e}) even after {HALVINGS} halvings; "
        "take more points, a lower kernel.degree or a larger kernel.ridge"
    )
