"""The Calabi functional on a space of features: the square of the Mabuchi energy's gradient (HR app. B)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.mabuchi import Mabuchi
from mpiflow.functionals.of_metric import OfMetric

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import MongeAmpere, State

#: Of the differences that make the Hessian of the Mabuchi energy times a vector, relative to the change of log det g.
_STEP = 1e-3


class CalabiProjected(OfMetric):
    """flow.loss = "calabi-projected": b . M^-1 b, b = dMabuchi/dc, M the covariance of d phi/dc by the volume of g.

    That is <eta (P R)^2>, P the projection on these functions: b_m = <eta log eta Laplace psi_m> = -<eta psi_m R> by parts.
    """

    name = "calabi-projected"
    asks: ClassVar = frozenset({"metric", "jets", "hessians"})
    wants = 'kernel.features = "invariant", or others that are known one by one'

    def measured(self, problem: MongeAmpere, state: State) -> float:
        """The functional; collective."""
        slope = problem.under(Mabuchi()).gradient(state)
        return float(slope @ raised(problem, state, slope))

    def gradient(self, problem: MongeAmpere, state: State) -> np.ndarray:
        """2 H u - u . dM u with u = M^-1 b, H the Hessian of the Mabuchi energy, by differences of fourth order; collective."""
        under, chunks = problem.under(Mabuchi()), problem.engine.chunks
        u = raised(problem, state, under.gradient(state))
        h = _STEP / max(float(np.sqrt(chunks.sum(problem.measure * _change(problem, state, u) ** 2))), 1e-300)
        near = [under.gradient(under.at(state.coefficients + k * h * u)) for k in (-2, -1, 1, 2)]
        hessian = (8 * (near[2] - near[1]) - (near[3] - near[0])) / (12 * h)
        return 2 * hessian - _turned(problem, state, u)


def _change(problem: MongeAmpere, state: State, u: np.ndarray) -> np.ndarray:
    """The change of log det g along u at the own points, by weights whose sum is 1: (n,)."""
    total = problem.engine.chunks.sum(problem.measure)
    return (problem.slope(state) * problem.engine.apply(u)).sum(1) / np.sqrt(total)


def raised(problem: MongeAmpere, state: State, b: np.ndarray) -> np.ndarray:
    """M^-1 b, (P,), on every rank."""
    from mpiflow.kernels.kaehler import Normal

    rates = np.zeros_like(state.jets)
    rates[:, 0] = problem.phi.rate(state.jets)
    gram = problem.engine.gram(rates, problem.measure * state.eta, state.residual)
    return problem.engine.chunks.comm.led(lambda: Normal(gram, 0.0).solve(b))


def _turned(problem: MongeAmpere, state: State, u: np.ndarray) -> np.ndarray:
    """u . dM u, (P,), with <eta> = 1 all along; collective."""
    chunks, engine = problem.engine.chunks, problem.engine
    f1, f2 = problem.phi.ansatz.derivatives(state.jets[:, 0], problem.phi.degree, 2)[1:]
    value = engine.apply(u)[:, 0]
    psi, total = f1 * value, chunks.sum(problem.measure)
    weight = problem.measure * state.eta / total
    mean, square = chunks.sum(np.stack([weight * psi, weight * psi**2], axis=1))
    # Of the volume, which moves with eta, and of psi, which moves where f is not linear.
    by_volume = weight * (psi**2 - square - 2 * mean * (psi - mean))
    factor = by_volume[:, None] * problem.slope(state)
    factor[:, 0] += 2 * weight * (psi - mean) * f2 * value
    return engine.adjoint(factor)
