"""The flow of independent components under a frozen kernel, step by step (HR 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpiflow import hermitian, losses
from mpiflow.coupling import Coupling
from mpiflow.dataset import PointSet
from mpiflow.errors import NumericalError
from mpiflow.flows.component_predictor import ComponentPredictor
from mpiflow.geometry.domain import Domain
from mpiflow.measures import kappa_of, least_eigenvalue, sigma
from mpiflow.ranks import placement

#: A step that loses positivity is halved this often before the flow gives up.
HALVINGS = 30


@dataclass(frozen=True)
class Record:
    """What one step did; after it: sigma, mean loss and least eigenvalue over the train points."""

    dt: float
    step_rejected: int
    sigma_train: float
    loss: float
    min_eigenvalue: float


@dataclass(frozen=True)
class Rule:
    """How a step is taken: the keys of [flow] that shape it, resolved."""

    dt: float
    loss: type
    natural_gradient: bool = False
    kappa: str = "fixed"
    clip: float | None = None
    precision: str = "float64"


class ComponentFlow:
    """g <- g - dt sum_x' K(x, x') dl/dg(x') on the own train points; what it accumulates predicts g everywhere.

    Losses, gradients and kernel tiles have the run's precision; the metric and the accumulated gradient
    A = sum_n dt_n dl/dg^(n) are float64, or steps below the rounding of g would be lost.
    Raises NumericalError, naming the point, where no halved step keeps the metric positive definite.
    """

    def __init__(self, surface: Domain, coupling: Coupling, train: PointSet, rule: Rule, chart: tuple[int, ...]):
        self.surface, self.coupling, self.rule, self.chart = surface, coupling, rule, chart
        self.layout, self.points = train.layout, train.points
        self.sum = coupling.onto_itself()
        self.backend = coupling.options.get("backend", "cpu")
        self.device_bytes = placement.bytes_by_device(self.layout.comm, self.backend, self.sum.bytes)
        self.dtype = np.complex64 if rule.precision == "float32" else np.complex128
        self.metric = train.reference(surface)
        self.accumulated = np.zeros_like(self.metric)
        self.kappa = kappa_of(self.layout, self.points, self.metric)

    def step(self) -> Record:
        """One step on every rank; collective."""
        kappa = self.kappa if self.rule.kappa == "fixed" else kappa_of(self.layout, self.points, self.metric)
        metric = self.metric.astype(self.dtype)
        eta = losses.eta(metric, self.points.omega2, kappa)
        gradient = losses.gradient(metric, eta, self.rule.loss, self.rule.natural_gradient)
        gradient = clipped(gradient, self.rule.clip).astype(np.complex128)
        update = hermitian.from_reals(self.sum.apply(hermitian.to_reals(gradient)))
        dt, rejected = self.rule.dt, 0
        while not self._positive(self.metric - dt * update):
            dt, rejected = dt / 2, rejected + 1
            if rejected > HALVINGS:
                raise NumericalError(self._complaint(gradient, self.metric - self.rule.dt * update))
        self.metric = self.metric - dt * update
        self.accumulated += dt * gradient
        return self.record(dt, rejected)

    def record(self, dt: float = 0.0, rejected: int = 0) -> Record:
        """The present losses; collective."""
        eta = losses.eta(self.metric, self.points.omega2, self.kappa)
        mean = self.layout.sum(self.rule.loss.value(eta)) / self.layout.total
        return Record(dt, rejected, sigma(self.layout, self.points, self.metric), float(mean), self._least(self.metric))

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """All that a restart needs, in point order on rank 0 (None elsewhere); collective."""
        return {
            "metric/current": self.layout.gather(self.metric),
            "flow/accumulated_gradient": self.layout.gather(self.accumulated),
        }

    def restore(self, rows: Callable[[str], np.ndarray]) -> None:
        """Continue from a state: rows(name) gives this rank's train rows of one of its datasets; collective."""
        self.metric = rows("metric/current").copy()
        self.accumulated = rows("flow/accumulated_gradient").copy()

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic: the same on every rank but for bytes, which are this rank's."""
        engine, place = self.coupling.options["mode"], {"backend": self.backend, "device_bytes": self.device_bytes}
        made = {"tiles": "arrays"} if self.coupling.kernel.on_arrays else {}
        return {"engine": engine, "engine_bytes": self.sum.bytes, **place, "kappa": self.kappa, **made}

    def predictor(self) -> ComponentPredictor:
        """The metric at any targets, as of now."""
        return ComponentPredictor(self.surface, self.coupling, self.accumulated, self.chart)

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128; each call is collective."""
        kernel_sum = self.coupling.onto(targets.layout, self.surface.embedded(targets.points.z))
        reference = targets.reference(self.surface)
        return lambda: self.predictor().added(kernel_sum, reference)

    def _least(self, g: np.ndarray) -> float:
        return self.layout.comm.min(float(least_eigenvalue(g).min(initial=np.inf)))

    def _positive(self, g: np.ndarray) -> bool:
        # NaN and infinity count as not positive: they fail every comparison below.
        finite = np.isfinite(g).all() and bool((least_eigenvalue(g) > 0).all())
        return not self.layout.comm.any(not finite)

    def _complaint(self, gradient: np.ndarray, g: np.ndarray) -> str:
        """Which point is to blame: one whose gradient is not finite, else the one of least eigenvalue; collective."""
        bad = ~np.isfinite(gradient).all((1, 2))
        number, _ = self._first(np.where(bad, -1.0, 0.0))
        if self.layout.comm.any(bad.any()):
            return f"the loss gradient of train point {number} is not finite: lower flow.dt or set flow.clip"
        number, value = self._first(least_eigenvalue(np.where(np.isfinite(g), g, 0)))
        return (
            f"flow.dt = {self.rule.dt:g}: the metric of train point {number} loses positivity (eigenvalue {value:.2e}) even "
            f"after {HALVINGS} halvings; lower flow.dt or set flow.clip"
        )

    def _first(self, values: np.ndarray) -> tuple[int, float]:
        """Number and value of the train point of least value; collective."""
        own = (float(values.min()), int(self.layout.rows[values.argmin()])) if len(values) else (np.inf, -1)
        value, number = min(self.layout.comm.allgather(own))
        return number, value


def clipped(gradient: np.ndarray, largest: float | None) -> np.ndarray:
    """Gradients (N, d, d) scaled down, point by point, to a Frobenius norm of `largest` at most."""
    if largest is None:
        return gradient
    norm = np.sqrt((gradient.real**2 + gradient.imag**2).sum((1, 2)))
    scale = largest / np.maximum(norm, largest)
    return gradient * scale.astype(norm.dtype)[:, None, None]
