"""The Monge-Ampere equation linearised at a metric, and the step to its least squares solution (theory 4)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from mpiflow import streams
from mpiflow.flows.monge_ampere import MongeAmpere, State
from mpiflow.kernels.kaehler import step

#: A symmetric positive definite approximation to the inverse of A^T W A, up to a factor: (P,) to (P,).
Preconditioner = Callable[[np.ndarray], np.ndarray]


def conjugate_gradients(
    linear: Linearised, right: np.ndarray, ridge: float, iterations: int, accuracy: float = 1e-2
) -> np.ndarray:
    """(A^T W A + prior)^-1 times a vector (P,), by applications of A and A^T alone; collective.

    prior: ridge times the mean diagonal, and what the problem has. Stops where the residual, in the norm of the
    preconditioner, has fallen by `accuracy`: an inexact step costs less than it saves while log eta is far from linear.
    """
    x, r = np.zeros_like(right), right
    p = z = linear.preconditioned(r)
    norm = first = float(r @ z)
    for _ in range(iterations if first else 0):
        image = linear.adjoint(linear.centred(linear.apply(p))) + ridge * linear.scale * p
        if linear.prior:
            image = image + linear.prior(p)
        length = norm / float(p @ image)
        x, r = x + length * p, r - length * image
        z = linear.preconditioned(r)
        norm, last = float(r @ z), norm
        if norm <= accuracy**2 * first:
            break
        p = z + (norm / last) * p
    return x


class Linearised:
    """A = d log eta / d c at a metric, less its w-mean, with the weights w / sum w."""

    def __init__(self, problem: MongeAmpere, state: State, preconditioner: Preconditioner | None = None):
        self.engine, self._preconditioner = problem.inner, preconditioner
        self.slope = self.engine.spread(problem.slope(state))
        self.prior = problem.prior
        self.weight = problem.weight / problem.engine.chunks.sum(problem.weight)

    def apply(self, c: np.ndarray) -> np.ndarray:
        """A c at the own points: (P,) to (n,)."""
        return self.engine.traced(c, self.slope)

    def centred(self, t: np.ndarray) -> np.ndarray:
        """(n,) less its w-mean over all points."""
        return t - self.engine.chunks.sum(self.weight * t)

    def adjoint(self, t: np.ndarray) -> np.ndarray:
        """A^T W t: centred own (n,) to (P,), on every rank."""
        return self.engine.pulled(self.weight * t, self.slope)

    def preconditioned(self, gradient: np.ndarray) -> np.ndarray:
        """About (A^T W A)^-1 times a gradient (P,), up to a factor; what rank 0 finds, every rank has."""
        if self._preconditioner is None:
            return gradient
        return self.engine.chunks.comm.led(self._preconditioner, gradient)

    @cached_property
    def scale(self) -> float:
        """The mean of the diagonal of A^T W A, by one random vector of signs."""
        signs = streams.same().choice([-1.0, 1.0], self.engine.size)
        image = self.centred(self.apply(signs))
        return float(self.engine.chunks.sum(self.weight * image**2)) / self.engine.size


def smooth(problem: MongeAmpere, ridge: float, weighed: Callable[[np.ndarray], np.ndarray]) -> Preconditioner:
    """The prior of a problem, by g_FS and once and for all: ridge times the mean diagonal of A^T W A there times weighed(c).

    Rank 0 computes it, every rank has it; collective.
    """
    linear = Linearised(problem, problem.at(np.zeros(problem.engine.size)), weighed)
    factor = ridge * linear.scale
    return lambda c: factor * linear.preconditioned(c)


def gauss_newton(
    problem: MongeAmpere,
    state: State,
    ridge: float = 0.0,
    inner: int | None = None,
    preconditioner: Preconditioner | None = None,
) -> np.ndarray:
    """dc (P,) that makes the w-mean of (r + A dc - mean)^2 least, r = log eta; collective.

    ridge: relative to the diagonal of the normal matrix. inner: None to factorise that matrix, for few features; else
    the most iterations of conjugate gradients without it, for many; preconditioner: an approximate inverse for these.
    Raises NumericalError where the normal matrix is singular.
    """
    if inner is None:
        return _direct(problem, state, ridge)
    linear = Linearised(problem, state, preconditioner)
    right = linear.adjoint(linear.centred(state.residual))
    if problem.prior:
        right = right + problem.prior(state.coefficients)
    return -conjugate_gradients(linear, right, ridge, inner)


def _direct(problem: MongeAmpere, state: State, ridge: float) -> np.ndarray:
    gram = problem.engine.gram(problem.slope(state), problem.weight, state.residual)
    return problem.engine.chunks.comm.led(step, gram, ridge)
