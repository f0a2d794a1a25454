"""The J functional of chi = omega_0: how far a metric of its class is from g_FS, where it has its minimum (HR app. B)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.of_metric import OfMetric

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import MongeAmpere, State


class JOmega(OfMetric):
    """flow.loss = "j-omega": dJ = int d phi (tr_g g_FS - d) omega^d, as <int_0^1 t det g_t |d phi|^2_{g_t} dt> by parts.

    Means by the volume of g_FS, g_t from g_FS to g in a straight line. Its flow goes back to g_FS, or, from far off, to
    where the metric of one point degenerates, since J stays finite there.
    """

    name = "j-omega"
    asks: ClassVar = frozenset({"metric", "jets"})

    def measured(self, problem: MongeAmpere, state: State) -> float:
        """J; collective."""
        value = sum(t * weight * det * q for t, weight, _, det, _, q in _line(problem, state))
        return float(problem.engine.chunks.sum(_volume(problem) * value))

    def gradient(self, problem: MongeAmpere, state: State) -> np.ndarray:
        """dJ/dc, (P,); collective."""
        first, mixed = 0.0, 0.0
        for t, weight, inverse, det, column, q in _line(problem, state):
            factor = t * weight * det
            first = first + factor[:, None] * column
            square = column[:, :, None] * column.conj()[:, None, :]
            mixed = mixed + t * factor[:, None, None] * (q[:, None, None] * inverse - square)
        slope = problem.phi.pulled(state.jets, first, mixed)
        return problem.engine.adjoint(_volume(problem)[:, None] * slope)


def _line(problem: MongeAmpere, state: State) -> Iterator[tuple]:
    """t, its weight, g_t^-1, det g_t, g_t^-1 d phi and |d phi|^2 at the nodes of Gauss, exact for polynomials of degree d."""
    along, one = problem.phi.along(state.jets), np.eye(state.g.shape[-1])
    nodes, weights = np.polynomial.legendre.leggauss(len(one) // 2 + 1)
    for t, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
        g = one + t * (state.g - one)
        inverse = np.linalg.inv(g)
        column = np.einsum("xab,xb->xa", inverse, along)
        yield t, weight, inverse, np.linalg.det(g).real, column, (along.conj() * column).sum(1).real


def _volume(problem: MongeAmpere) -> np.ndarray:
    """Weights of the own points, (n,), of means by the volume of g_FS."""
    plain = problem.measure / problem.form
    return plain / problem.engine.chunks.sum(plain)
