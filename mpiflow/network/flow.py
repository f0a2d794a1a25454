"""The training of a network as a flow: a step is an epoch, and its metric is that of the run (HR 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpiflow import losses
from mpiflow.dataset import PointSet
from mpiflow.errors import NumericalError
from mpiflow.flows.components import Record
from mpiflow.geometry.domain import Domain
from mpiflow.measures import kappa_of, least_eigenvalue, sigma
from mpiflow.network import inputs
from mpiflow.network.architecture import Architecture
from mpiflow.network.objective import Objective, columns_of
from mpiflow.network.predictor import NetworkPredictor
from mpiflow.network.training import Progress, Training


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


def architecture(
    surface: Domain, kind: str, *, width: int = 64, depth: int = 3, activation: str = "gelu"
) -> Architecture:
    """The network of a kind on a manifold: 2(n+1) reals to d^2, or (n+1)^2 to one for a potential."""
    n, d = surface.coordinates, surface.dimension
    ends = (n * n, 1) if kind == "potential" else (2 * n, d * d)
    return Architecture(*ends, width, depth, activation)


class NetworkFlow:
    """Adam on the losses of a network over the train points of all ranks.

    Nothing holds the metric positive but the loss: what share of it is, evaluations tell. Raises NumericalError where
    parameters or metric are no longer finite.
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

    def step(self) -> Record:
        """One epoch on every rank; collective."""
        rate = self.rule.rate * self.rule.decay**self.epochs
        self.progress = self.training.epoch(self.epochs, self.progress, rate)
        self.epochs += 1
        self.metric = self._at(self.progress.theta)
        # Parameters are the same on every rank, metrics are not.
        if self.layout.comm.any(not (np.isfinite(self.progress.theta).all() and np.isfinite(self.metric).all())):
            raise NumericalError(
                f"flow.dt = {self.rule.rate:g}: the network is not finite after epoch {self.epochs}; lower flow.dt, or take "
                'flow.loss = "sigma", which is finite where det g <= 0'
            )
        return self.record(rate)

    def record(self, dt: float = 0.0) -> Record:
        """The present sigma and mean pointwise loss of the train points; dt: the rate of the epoch; collective."""
        eta = losses.eta(self.metric, self.points.omega2, self.kappa)
        # (log eta)^2 is not finite where det g <= 0, which only the loss keeps away.
        with np.errstate(invalid="ignore", divide="ignore"):
            value = losses.LOSSES[self.rule.goal.loss].value(eta)
        mean = float(self.layout.sum(value)) / self.layout.total
        least = self.layout.comm.min(float(least_eigenvalue(self.metric).min(initial=np.inf)))
        return Record(dt, 0, sigma(self.layout, self.points, self.metric), mean, least)

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
        engine = f"{goal.kind} network of {goal.architecture.size} parameters"
        return {"engine": engine, "engine_bytes": 0, "backend": self.rule.backend, "kappa": self.kappa}

    def predictor(self) -> NetworkPredictor:
        """The metric at any targets, as of now."""
        theta = self.progress.theta
        return NetworkPredictor(self.surface, self.rule.goal, theta, self.chart)

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128."""
        at = self.predictor().onto(targets.layout, targets.points.z, targets.points.chart)
        return lambda: at(self.progress.theta)

    def _training(self) -> Training:
        rule, p = self.rule, self.points
        columns = training_columns(self.surface, rule.goal, self.layout, p, self.kappa)
        columns = columns_of(columns, rule.precision)
        return Training(
            self.layout.comm, rule.goal, columns, self.layout.rows, self.layout.total, rule.seed, rule.batch
        )


def training_columns(surface: Domain, goal: Objective, layout, p, kappa: float) -> inputs.Columns:
    """What the losses take of the own points, with weights of mean 1; collective."""
    mean = float(layout.sum(p.weight)) / layout.total
    if goal.kind == "potential":
        columns = inputs.potential(surface, p.z, p.chart)
        del columns["lower"]
        # In a frame of g_FS det g is that of the chart over det g_FS.
        columns["volume"] = 1 / (kappa * surface.form(p))
    else:
        columns = inputs.component(surface, p.z, p.chart)
        columns["volume"] = 1 / (kappa * p.omega2)
    if goal.kaehler:
        columns |= inputs.tangents(surface, p.z, p.chart)
    if goal.transition:
        columns |= inputs.transitions(surface, p.z, p.chart)
    return columns | {"weight": p.weight / mean}
