"""One family of flows, from Calabi's to the natural gradient: d phi / dt = (-Laplace)^p log eta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from mpiflow.preconditioners.preconditioner import Preconditioner

if TYPE_CHECKING:
    from mpiflow.engine.low_rank import LowRank
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow


class Family(Preconditioner):
    """kernel.preconditioner = "family": d phi / dt = (-Laplace)^power log eta, projected on the features (theory 4).

    power = 1 is the Calabi flow, 0 the Kaehler-Ricci flow, -1 a natural gradient. Explicit steps are stable for dt below
    2 / l^(1 + power), l the largest eigenvalue. implicit: each step solves the linearised flow for its end, at any dt. growth:
    a step is so many times the one before; an implicit flow then ends as Newton's method does.
    """

    power: Annotated[float, Field(ge=-2, le=2)] = 0.0
    """p of the flow: 1 Calabi's, 0 Kaehler-Ricci, -1 the natural gradient."""
    implicit: bool = False
    """Whether steps are linearly implicit, and stable at any length."""
    growth: Annotated[float, Field(ge=1, le=10)] = 1.0
    """How much longer each step is than the one before."""

    name = "family"
    asks: ClassVar = frozenset({"hessians"})
    factorises = beside = True
    lowers = False

    def frozen(self, flow: KaehlerFlow, state: State) -> LowRank:
        """The features with their first derivatives, of which a step needs all: nothing else stays what it is."""
        from mpiflow.engine.low_rank import LowRank

        return LowRank(flow.chunks, flow.features, flow.frame, flow.rule.memory, whole=True)

    def direction(self, flow: KaehlerFlow, c: LowRank) -> np.ndarray:
        """Minus (-Laplace)^p log eta, times the growth so far; collective."""
        longer, spectrum = self.growth**flow.steps, spectral(flow, c)
        return flow.chunks.comm.led(lambda: -longer * self.along(*spectrum, flow.dt * longer))

    def along(self, values: np.ndarray, vectors: np.ndarray, right: np.ndarray, dt: float) -> np.ndarray:
        """d c / dt (P,) from the spectrum of -Laplace and <F log eta>."""
        rate = values**self.power
        if self.implicit:
            rate = rate / (1 + dt * values ** (1 + self.power))
        return vectors @ (rate * (vectors.T @ right))


def spectral(flow: KaehlerFlow, engine: LowRank) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Eigenvalues (P,) and functions V (P, P) of -Laplace of the metric of now on the features, and <F log eta> (P,).

    <dF_m . dbar F_n> V = <F_m F_n> V diag(values), means by the volume of the metric, F less their means. On rank 0, None
    elsewhere; collective. Raises NumericalError where the features are dependent there.
    """
    chunks, state, problem = flow.chunks, flow.state, flow.problem
    size = len(flow.features) + 2
    columns = (problem.measure * state.eta, state.residual, flow.phi.rates(state.jets), np.linalg.inv(state.g))
    each = zip(engine.each(), chunks.each(*columns), strict=True)
    partials = (_grams(prepared, chunks.zeroed(w, rows), *rest) for (rows, prepared), (_, (w, *rest)) in each)
    grams = chunks.tree((2, size, size), partials)
    if grams is None:
        return None
    return _solved(*grams)


def _grams(
    prepared: np.ndarray, weight: np.ndarray, residual: np.ndarray, rates: np.ndarray, inverse: np.ndarray
) -> np.ndarray:
    """Of a chunk: w [psi, 1, log eta][...]^T, and w d psi . dbar psi, both (P+2, P+2); psi = d phi / d c."""
    from mpiflow import hermitian
    from mpiflow.kernels import kaehler

    root, jets = np.linalg.cholesky(inverse), hermitian.from_reals(prepared)
    values = jets[:, :, 0, 0].real
    along = rates[:, :1] * jets[:, :, 1:, 0] + values[:, :, None] * rates[:, 1:]
    tangent = np.einsum("xba,mxb->mxa", root, along) * np.sqrt(weight)[:, None]
    flat = np.concatenate([tangent.real, tangent.imag], axis=2).reshape(len(values), -1)
    plain = kaehler.gram(rates[:, 0].real * values, weight, residual)
    mixed = np.zeros_like(plain)
    mixed[:-2, :-2] = flat @ flat.T
    return np.stack([plain, mixed])


def _solved(plain: np.ndarray, mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy import linalg

    from mpiflow.errors import NumericalError

    total = plain[-2, -2]
    mean = plain[:, -2] / total
    centred = plain / total - np.outer(mean, mean)
    try:
        values, vectors = linalg.eigh(mixed[:-2, :-2] / total, centred[:-2, :-2])
    except linalg.LinAlgError:
        raise NumericalError(
            f"the {len(plain) - 2} features are dependent on the train points: take more of them, or a lower kernel.degree"
        ) from None
    return np.maximum(values, 1e-12 * values[-1]), vectors, centred[:-2, -1]
