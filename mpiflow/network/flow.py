"""The training of a network as a flow: a step is an epoch, and its metric is that of the run (HR 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpiflow import losses
from mpiflow.dataset import PointSet
from mpiflow.errors import InputError, NumericalError
from mpiflow.flows.flow import Flow
from mpiflow.flows.history import Record
from mpiflow.functionals.functional import of_etas
from mpiflow.geometry.domain import Domain
from mpiflow.measures import kappa_of, least_eigenvalue, mean, sigma
from mpiflow.methods.network import Network
from mpiflow.network import inputs
from mpiflow.network.architecture import Architecture
from mpiflow.network.objective import Objective, columns_of
from mpiflow.network.predictor import NetworkPredictor, begun, predicted
from mpiflow.network.training import Progress, Training
from mpiflow.searches import Search
from mpiflow.searches.adam import Adam

#: Of entries of a metric, beyond which float64 has no digit of g_FS left.
_MOST = 1 / float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class NetworkRule:
    """How a network is trained.

    goal: its losses. rate, decay: of Adam in the first epoch, and the factor from one to the next. batch: points of a
    mini-batch. seed: of the first parameters and of the order of the points. silent: begin at g_FS. backend: where JAX
    computes, for the record.
    """

    goal: Objective
    rate: float
    batch: int
    seed: int
    decay: float = 1.0
    precision: str = "float64"
    silent: bool = True
    backend: str = "cpu"
    search: Search = Adam()


def architecture(surface: Domain, kind: Network) -> Architecture:
    """The network of a table [network] on a manifold."""
    ends = kind.ends(surface.coordinates, surface.dimension)
    return Architecture(*ends, kind.width, kind.depth, kind.activation, kind.tangent, kind.apart, kind.since)


class NetworkFlow(Flow):
    """Epochs on the losses of a network over the train points of all ranks.

    Nothing holds the metric positive but the loss: what share of it is, evaluations tell. Raises NumericalError where
    parameters or metric are no longer finite, or g_FS no part of the metric.
    """

    def __init__(self, surface: Domain, train: PointSet, rule: NetworkRule, chart):
        self.surface, self.rule, self.chart = surface, rule, chart
        self.layout, self.points = train.layout, train.points
        self.kappa = kappa_of(self.layout, self.points, train.reference(surface))
        self.training = self._training()
        # Networks of float32 are trained in it, and evaluated in float64 as all are.
        first = rule.goal.architecture.initial(rule.seed, rule.silent)
        self.progress = Progress.begin(first.astype(rule.precision))
        self.epochs = 0
        self._at = self.predictor().onto(self.layout, self.points.z, self.points.chart)
        self.metric = self._at(self.progress.theta)
        super().__init__(rule.search, rule.rate, self.progress.theta)

    def epoch(self, dt: float, plain: bool = False) -> float:
        """One pass over all points, by Adam or by plain descent; returns the rate that dt has decayed to. Collective."""
        rate = dt * self.rule.decay**self.epochs
        self.progress = self.training.epoch(self.epochs, self.progress, rate, plain)
        self.epochs += 1
        self.metric = self._at(self.progress.theta)
        self._hold()
        return rate

    def _hold(self) -> None:
        """Raise NumericalError, on all ranks, where the network is not finite, or g_FS is lost in its rounding; collective."""
        largest = float(np.abs(self.metric).max(initial=0.0))
        finite = bool(np.isfinite(self.progress.theta).all() and np.isfinite(largest))
        # Parameters are the same on every rank, metrics are not.
        if self.layout.comm.any(not finite):
            raise NumericalError(
                f"flow.dt = {self.rule.rate:g}: the network is not finite after epoch {self.epochs}; lower flow.dt, or take "
                'flow.loss = "sigma", which is finite where det g <= 0'
            )
        largest = -self.layout.comm.min(-largest)
        if largest > _MOST:
            raise NumericalError(
                f"flow.dt = {self.rule.rate:g}: after epoch {self.epochs} the network is {largest:.0e}, and g_FS, which is "
                "about 1, is lost in its rounding errors; lower flow.dt"
            )

    def record(self, dt: float = 0.0, rejected: int = 0) -> Record:
        """The present losses; dt: the rate of the epoch; collective."""
        eta = losses.eta(self.metric, self.points.omega2, self.kappa)
        # (log eta)^2 is not finite where det g <= 0, which only the loss keeps away.
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = mean(self.layout, self.points, of_etas(self.rule.goal.loss, "value", eta))
        if not self.epochs and not np.isfinite(loss):
            raise InputError(
                f"{self.rule.goal.loss.asker}: is {loss} of the network as it begins, whose det g is not positive everywhere; "
                'take network.silent = true, or flow.loss = "sigma"'
            )
        least = self.layout.comm.min(float(least_eigenvalue(self.metric).min(initial=np.inf)))
        return Record(dt, rejected, sigma(self.layout, self.points, self.metric), loss, least)

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """All that a restart needs, on rank 0 (None elsewhere); collective."""
        p = self.progress
        arrays = {
            "network/parameters": p.theta,
            "network/adam_mean": p.mean,
            "network/adam_variance": p.variance,
            "network/adam_count": np.array([p.count]),
            "network/epochs": np.array([self.epochs]),
        }
        first = self.layout.comm.rank == 0
        return {"metric/current": self.layout.gather(self.metric)} | {
            name: array if first else None for name, array in arrays.items()
        }

    def restore(self, rows: Callable[..., np.ndarray]) -> None:
        """Continue from a state: rows(name, None) gives all of one of its datasets; collective."""
        theta, mean, variance = (rows(f"network/{name}", None) for name in ("parameters", "adam_mean", "adam_variance"))
        self.progress = Progress(theta, mean, variance, int(rows("network/adam_count", None)[0]))
        self.epochs = int(rows("network/epochs", None)[0])
        self.metric = self._at(self.progress.theta)

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic: the same on every rank."""
        goal = self.rule.goal
        engine = f"{goal.kind.name} network of {goal.architecture.size} parameters"
        return {"engine": engine, "engine_bytes": 0, "backend": self.rule.backend, "kappa": self.kappa}

    def predictor(self) -> NetworkPredictor:
        """The metric at any targets, as of now."""
        return predicted(self.surface, self.rule.goal, self.progress.theta, self.chart)

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128."""
        at = self.predictor().onto(targets.layout, targets.points.z, targets.points.chart)
        return lambda: at(self.progress.theta)

    def _training(self) -> Training:
        rule, p = self.rule, self.points
        columns = training_columns(self.surface, rule.goal, self.layout, p, self.kappa, rule.precision)
        return Training(
            self.layout.comm, rule.goal, columns, self.layout.rows, self.layout.total, rule.seed, rule.batch
        )


def training_columns(
    surface: Domain, goal: Objective, layout, p, kappa: float, precision: str = "float64"
) -> inputs.Columns:
    """What the losses take of the own points, in a precision, with weights of mean 1; collective."""
    weight = p.weight / (float(layout.sum(p.weight)) / layout.total) if goal.kind.weighted else np.ones(len(p.weight))
    columns = goal.kind.columns(surface, p.z, p.chart) | {"volume": 1 / (kappa * goal.kind.density(surface, p))}
    columns.pop("lower", None)
    if goal.kaehler:
        columns |= inputs.tangents(surface, p.z, p.chart)
    if goal.transition:
        columns |= inputs.transitions(surface, p.z, p.chart)
    columns |= begun(goal, layout, columns, precision)
    return columns_of(columns | {"weight": weight}, precision)
