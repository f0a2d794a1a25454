"""The Calabi functional of a Kaehler metric (HR app. B)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.of_metric import OfMetric

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import MongeAmpere, State


class Calabi(OfMetric):
    """flow.loss = "calabi": <eta R^2>, int R^2 omega^d over the volume, R from all fourth derivatives of the potential.

    Its slope takes the second derivatives of all features: d R = -Laplace^2 d phi - Ric . d dbar d phi. What makes
    steps of it long is kernel.preconditioner = "curvature".
    """

    name = "calabi"
    asks: ClassVar = frozenset({"metric", "second"})
    wants = 'kernel.potential = "linear" with invariant kernel.features'

    def measured(self, problem: MongeAmpere, state: State) -> float:
        """The functional; collective."""
        r = np.empty(len(state.eta))
        for rows, _, scalar, _ in curved(problem, state):
            r[rows] = scalar[: rows.stop - rows.start]
        total, value = problem.engine.chunks.sum(
            np.stack([problem.measure, problem.measure * state.eta * r**2], axis=1)
        )
        return float(value / total)

    def gradient(self, problem: MongeAmpere, state: State) -> np.ndarray:
        """Its slope, (P,), exactly; collective."""
        chunks, r = problem.engine.chunks, np.empty(len(state.eta))
        total, weight = chunks.sum(problem.measure), problem.measure * state.eta
        partials, size = [], len(state.coefficients)
        each = zip(curved(problem, state), chunks.each(weight), strict=True)
        for (rows, features, scalar, v), (_, (w,)) in each:
            r[rows] = scalar[: rows.stop - rows.start]
            partials.append(changes(features, v) @ (2 * scalar * chunks.zeroed(w, rows)))
        bent = chunks.comm.bcast(chunks.tree((size,), partials)) / total
        mean = chunks.sum(weight * r**2) / total
        return bent + problem.engine.adjoint((weight * (r**2 - mean) / total)[:, None] * problem.slope(state))


def curved(problem: MongeAmpere, state: State) -> Iterator[tuple]:
    """Chunk by chunk: own rows, derivatives of the features (P, T, CHUNK), R (CHUNK,) and how it changes (CHUNK, C, C)."""
    from mpiflow.geometry import curvature
    from mpiflow.kernels import jets

    engine = problem.engine
    each = zip(problem.second, engine.chunks.each(*vars(engine.frame).values()), strict=True)
    for features, (rows, parts) in each:
        jet = jets.full(np.tensordot(state.coefficients, features, 1).T)
        yield rows, features, *curvature.scalar_slope(type(engine.frame)(*parts), jet)


def changes(features: np.ndarray, v: np.ndarray) -> np.ndarray:
    """dR/dc_m = -tr V J_m, J Hermitian and known by lower triangles: (P, T, N) and (N, C, C) complex to (P, N) float64."""
    t, u = np.tril_indices(v.shape[-1])
    once = np.where(t == u, -1, -2) * v[:, t, u].conj()
    return np.einsum("mtx,xt->mx", features, once).real
