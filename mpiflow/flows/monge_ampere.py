"""The Monge-Ampere equation eta = 1 for g = g_FS + d dbar phi on the train points, phi in a frozen feature space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import losses
from mpiflow.engine.low_rank import LowRank
from mpiflow.functionals import Functional
from mpiflow.functionals.log import Log
from mpiflow.kernels import kaehler
from mpiflow.measures import least_eigenvalue

LOG = Log()


@dataclass(frozen=True)
class State:
    """One potential: c (P,); on the own points g (n, d, d) in frames and eta (n,); over all points the rest.

    loss: w-mean. sigma: the sigma measure. least: the least eigenvalue; where it is not positive, only g is defined.
    """

    coefficients: np.ndarray
    g: np.ndarray
    eta: np.ndarray
    loss: float
    sigma: float
    least: float

    @property
    def inverse(self) -> np.ndarray:
        """g^-1 as d^2 reals: (n, d^2)."""
        return kaehler.inverse(self.g)

    @property
    def residual(self) -> np.ndarray:
        """log eta: (n,)."""
        return np.log(self.eta)


class MongeAmpere:
    """Train points with their weights and |Omega|^2 / det g_FS, by default the same: eta is det g_E over kappa times it."""

    def __init__(self, engine: LowRank, weight: np.ndarray, loss: Functional = LOG, form: np.ndarray | None = None):
        self.engine, self.weight, self.loss = engine, weight, loss
        self.form = weight if form is None else form

    def at(self, coefficients: np.ndarray) -> State:
        """The metric of a potential, with kappa the w-mean of det g / |Omega|^2; collective."""
        chunks = self.engine.chunks
        g = kaehler.metric(self.engine.apply(coefficients))
        finite = bool(np.isfinite(g).all())
        least = float(least_eigenvalue(g).min(initial=np.inf)) if finite else -np.inf
        least = chunks.comm.min(least)
        if not least > 0:
            return State(coefficients, g, np.ones(len(g)), np.inf, np.inf, least)
        ratio = losses.determinant(g) / self.form
        total, volume = chunks.sum(np.stack([self.weight, self.weight * ratio], axis=1))
        eta = ratio / (volume / total)
        columns = np.stack([self.loss.value(eta), np.abs(1 - eta)], axis=1) * self.weight[:, None]
        loss, sigma = chunks.sum(columns) / total
        return State(coefficients, g, eta, float(loss), float(sigma), least)

    def gradient(self, state: State) -> np.ndarray:
        """d loss / d c, (P,), exactly: kappa moves with the metric, d log kappa = <w eta A>; collective."""
        slope = self.loss.slope(state.eta) * state.eta
        total, mean = self.engine.chunks.sum(np.stack([self.weight, self.weight * slope], axis=1))
        factor = self.weight * (slope - state.eta * mean / total) / total
        return self.engine.adjoint(factor[:, None] * state.inverse)
