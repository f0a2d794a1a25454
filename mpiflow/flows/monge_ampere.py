"""The Monge-Ampere equation eta = 1 for g = g_FS + d dbar phi on the train points, phi = f(F), F in a frozen feature space."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mpiflow import losses
from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.linear import Linear
from mpiflow.engine.low_rank import LowRank
from mpiflow.functionals import Functional
from mpiflow.functionals.functional import of_etas
from mpiflow.functionals.log import Log
from mpiflow.measures import least_eigenvalue

LOG, LINEAR = Log(), Composed(Linear(), 1)


@dataclass(frozen=True)
class State:
    """One potential: c (P,); on the own points jets of F (n, r), g (n, d, d) in frames and eta (n,); over all points the rest.

    loss: mean by the weights of the loss. objective: with what the prior adds. sigma: the sigma measure. least: the least
    eigenvalue; where it is not positive, only jets and g are defined.
    """

    coefficients: np.ndarray
    jets: np.ndarray
    g: np.ndarray
    eta: np.ndarray
    loss: float
    objective: float
    sigma: float
    least: float

    @property
    def residual(self) -> np.ndarray:
        """log eta: (n,)."""
        return np.log(self.eta)


class MongeAmpere:
    """Train points with their weights and |Omega|^2 / det g_FS, by default the same: eta is det g_E over kappa times it.

    phi: f, by default linear. loss_weight: of the points in the loss, where not their own. inner: the engine of what is only
    solved for, by default the same. prior: what the loss is regularised by, c to half the slope of a quadratic form.
    """

    prior: Callable[[np.ndarray], np.ndarray] | None = None

    def __init__(
        self,
        engine: LowRank,
        weight: np.ndarray,
        loss: Functional = LOG,
        form: np.ndarray | None = None,
        phi: Composed = LINEAR,
        loss_weight: np.ndarray | None = None,
        inner: LowRank | None = None,
    ):
        self.engine, self.measure, self.phi = engine, weight, phi
        self.form, self.inner = weight if form is None else form, inner or engine
        self.loss = loss.at(self.reference()) if "reference" in loss.asks else loss
        self.whole = "metric" in loss.asks
        self.weight = weight if loss_weight is None else loss_weight

    def at(self, coefficients: np.ndarray) -> State:
        """The metric of a potential, with kappa the w-mean of det g / |Omega|^2; collective."""
        chunks, jets = self.engine.chunks, self.engine.apply(coefficients)
        g = self.phi.metric(jets)
        finite = bool(np.isfinite(g).all())
        least = float(least_eigenvalue(g).min(initial=np.inf)) if finite else -np.inf
        least = chunks.comm.min(least)
        if not least > 0:
            return State(coefficients, jets, g, np.ones(len(g)), np.inf, np.inf, np.inf, least)
        ratio = losses.determinant(g) / self.form
        total, volume, every = chunks.sum(np.stack([self.measure, self.measure * ratio, self.weight], axis=1))
        eta = ratio / (volume / total)
        columns = np.stack([self.weight * of_etas(self.loss, "value", eta), self.measure * np.abs(1 - eta)], axis=1)
        loss, sigma = chunks.sum(columns) / (every, total)
        added = float(coefficients @ self.prior(coefficients)) if self.prior else 0.0
        state = State(coefficients, jets, g, eta, float(loss), float(loss) + added, float(sigma), least)
        if not self.whole:
            return state
        value = self.loss.measured(self, state)
        return replace(state, loss=value, objective=value + added)

    def under(self, loss: Functional) -> MongeAmpere:
        """The same equation with another functional, and without a prior."""
        other = copy(self)
        other.loss = loss.at(self.reference()) if "reference" in loss.asks else loss
        other.whole, other.weight, other.prior = "metric" in loss.asks, self.measure, None
        return other

    @cached_property
    def second(self) -> list[np.ndarray]:
        """Derivatives up to the second order in each of all features, chunk by chunk, lower triangles (P, T, CHUNK) complex."""
        engine = self.engine
        each = engine.chunks.each(*vars(engine.frame).values())
        return [engine.features.jets(type(engine.frame)(*parts), 2) for _, parts in each]

    def reference(self) -> np.ndarray:
        """eta of g_FS at the own points, (n,): det g_FS is 1 in frames; collective."""
        total, volume = self.engine.chunks.sum(np.stack([self.measure, self.measure / self.form], axis=1))
        return total / (volume * self.form)

    def slope(self, state: State) -> np.ndarray:
        """d log det g of the jets of F at the own points: (n, r)."""
        return self.phi.slope(state.jets, state.g)

    def gradient(self, state: State) -> np.ndarray:
        """d loss / d c, (P,), exactly: kappa moves with the metric, d log kappa = <w eta A>; collective."""
        slope = self.loss.gradient(self, state) if self.whole else self._of_eta(state)
        return slope + 2 * self.prior(state.coefficients) if self.prior else slope

    def _of_eta(self, state: State) -> np.ndarray:
        """Of a loss that is a function of eta."""
        slope = of_etas(self.loss, "slope", state.eta) * state.eta
        columns = [self.measure, self.weight, self.weight * slope]
        total, every, mean = self.engine.chunks.sum(np.stack(columns, axis=1))
        factor = self.weight * (slope - self.measure / self.weight * state.eta * mean / total) / every
        return self.engine.adjoint(factor[:, None] * self.slope(state))
