"""Gauss-Newton to its end, without a run: for tests and benchmarks of what it solves."""

from dataclasses import dataclass

import numpy as np

from mpiflow.flows.linearised import gauss_newton
from mpiflow.searches.gauss_newton import shortened


@dataclass(frozen=True)
class Solution:
    """Coefficients (P,), the losses after each iteration, and whether the last one still lowered the loss."""

    coefficients: np.ndarray
    losses: list
    converged: bool


def solve(problem, start, iterations=12, ridge=0.0, inner=None, preconditioner=None):
    """Minimise the w-mean of (log eta - mean)^2 from a start (P,); collective."""
    state = problem.at(start)
    losses = [state.loss]
    for _ in range(iterations):
        direction = gauss_newton(problem, state, ridge, inner, preconditioner)
        state, _, _ = shortened(problem, state, direction, 1.0)
        losses.append(state.loss)
        if losses[-1] > 0.999 * losses[-2]:
            return Solution(state.coefficients, losses, True)
    return Solution(state.coefficients, losses, False)
