"""The flow of independent components under a frozen kernel, step by step (HR 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mpiflow import hermitian, losses
from mpiflow.coupling import Coupling
from mpiflow.dataset import PointSet
from mpiflow.flows.component_predictor import ComponentPredictor, rescaling
from mpiflow.flows.flow import Flow
from mpiflow.flows.history import Record
from mpiflow.flows.solved import Solved
from mpiflow.functionals import Functional
from mpiflow.functionals.functional import of_etas
from mpiflow.geometry import chern
from mpiflow.geometry.domain import Domain
from mpiflow.measures import mean
from mpiflow.pointwise import Entries
from mpiflow.ranks import placement
from mpiflow.searches import Search
from mpiflow.searches.search import HALVINGS

#: Where a state keeps what the search remembers of each train point.
_MEMORY = "search_points/"


@dataclass(frozen=True)
class Rule:
    """How a step is taken: the keys of [flow] that shape it, resolved; memory: bytes for a block that is solved."""

    dt: float
    loss: Functional
    search: Search
    natural_gradient: bool = False
    kappa: str = "fixed"
    clip: float | None = None
    precision: str = "float64"
    rescale: float = 0.0
    memory: float = np.inf


@dataclass(frozen=True)
class Trial:
    """theta, and of its metric at the own train points det g / |Omega|^2 and the least eigenvalue: (n_r,) on the host.

    ricci: (n_r, d, d), its Ricci form there, where the loss asks for it.
    """

    theta: Any
    ratio: np.ndarray
    least: np.ndarray
    ricci: np.ndarray | None = None


class ComponentFlow(Flow):
    """g <- g - dt sum_x' K(x, x') dl/dg(x') on the own train points; what it accumulates predicts g everywhere.

    theta: (2, n_r, d^2) float64 where the kernel's v and u lie, packed: the metric and the accumulated gradient
    A = sum_n dt_n dl/dg^(n). Matrices stay there; what is a number a point, as eta and its loss, is the host's. Gradients and
    kernel tiles have the run's precision; theta has float64, or steps below the rounding of g would be lost.
    Raises NumericalError, naming the point, where no halved step keeps the metric positive definite.
    """

    def __init__(self, surface: Domain, coupling: Coupling, train: PointSet, rule: Rule, chart: tuple[int, ...]):
        self.surface, self.coupling, self.rule, self.chart = surface, coupling, rule, chart
        self.layout, self.points, self.device = train.layout, train.points, coupling.device
        #: Who has the kernel solved, the search or the loss.
        self.solver = next((asker for asker in (rule.search, rule.loss) if "solved" in asker.asks), None)
        self.sum = self._summed()
        held = 0 if self.solver else self.sum.bytes
        self.device_bytes = placement.bytes_by_device(self.layout.comm, self.device, held)
        reference = train.reference(surface)
        self.scale = rescaling(self.points.omega2, reference, rule.rescale)
        self._go(reference, np.zeros_like(reference))
        self.kappa = self._volume()
        self.target = None
        if "target" in rule.loss.asks:
            target = rule.loss.target(reference, self.points.omega2, self.kappa)
            self.target = self.device.put(hermitian.packed(target))
        super().__init__(rule.search, rule.dt, self.theta)

    def _summed(self):
        """The kernel between train points, as its sums, or solved."""
        if self.solver:
            return Solved(self.coupling, self.rule.memory, self.solver.asker, self.solver.cure)
        return self.coupling.onto_itself()

    @property
    def theta(self):
        """What the search moves."""
        return self.at.theta

    @property
    def metric(self) -> np.ndarray:
        """g at the own train points: (n_r, d, d) complex128."""
        return self._matrices(self.theta[0, ...])

    def direction(self):
        """(K dl/dg, -dl/dg), to be subtracted from theta; collective."""
        xp = self.device.xp
        gradient = xp.asarray(clipped(self._slope(), self.rule.clip).reals(), dtype=xp.float64)
        if self.solver is self.rule.loss:
            moved, drawn = self.sum.step(self.device.fetch(gradient), self.rule.loss.time)
            return self.device.put(np.stack([moved, -drawn]))
        if self.scale is None:
            return xp.stack([self.sum.apply(gradient), -gradient])
        h = self.device.put(self.scale)
        return xp.stack([h * self.sum.apply(h * gradient), -gradient])

    def _slope(self) -> Entries:
        """dl/dg, of the run's precision."""
        xp, rule = self.device.xp, self.rule
        if self.at.ricci is not None:
            return Entries.packed(self.device.put(hermitian.packed(self.at.ricci)), xp)
        where = self.theta[0, ...] if self.target is None else self.theta[0, ...] - self.target
        entries = Entries.packed(xp.asarray(where, dtype=getattr(xp, rule.precision)), xp)
        if self.target is not None:
            return entries
        det = self.device.fetch(entries.determinant())
        eta = losses.of_determinant(det, self.points.omega2, self._kappa())
        return losses.slope(entries, det, eta, rule.loss, rule.natural_gradient, self.device)

    def solved(self, time: float):
        """What a time takes from theta, by the closed solution; collective."""
        moved, integral = self.sum.step(self.device.fetch(self.theta[0, ...] - self.target), time)
        return self.device.put(np.stack([moved, -integral]))

    def tried(self, step) -> Trial | None:
        """theta - step, None where a metric is not positive definite, or has no Ricci form that is asked for; collective."""
        trial = self._measured(self.theta - step)
        # NaN and infinity count as not positive.
        positive = bool((np.isfinite(trial.least) & (trial.least > 0)).all())
        if self.layout.comm.any(not positive):
            return None
        trial = self._bent(trial)
        return None if self.layout.comm.any(not _bends(trial).all()) else trial

    def take(self, trial: Trial) -> None:
        """Go to what was tried."""
        self.at = trial

    def record(self, dt: float = 0.0, rejected: int = 0) -> Record:
        """The present losses; collective."""
        loss, deviation = self._losses(), np.abs(1 - self.at.ratio / self._volume())
        least = self.layout.comm.min(float(self.at.least.min(initial=np.inf)))
        weight = self.points.weight
        total, loss, spread = self.layout.sum(np.stack([weight, weight * loss, weight * deviation], axis=1))
        return Record(dt, rejected, float(spread / total), float(loss / total), least)

    def _losses(self) -> np.ndarray:
        """l at the own points: (n_r,)."""
        if self.at.ricci is not None:
            return self.rule.loss.value(np.linalg.solve(self.metric, self.at.ricci))
        if self.target is None:
            return of_etas(self.rule.loss, "value", self.at.ratio / self._kappa())
        return self.device.fetch(self.rule.loss.value(Entries.packed(self.theta[0, ...] - self.target, self.device.xp)))

    def _bent(self, trial: Trial) -> Trial:
        """A trial with the Ricci form of the metric that it predicts, where the loss asks for it; collective."""
        if "ricci" not in self.rule.loss.asks:
            return trial
        predictor, chart = self._predicting(trial.theta), self.points.chart
        found = chern.ricci(self.surface, lambda z: predictor.metric(self.layout, z, chart), self.points.z, chart)
        return replace(trial, ricci=found)

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """All that a restart needs, in point order on rank 0 (None elsewhere); collective."""
        kept = {
            _MEMORY + name: np.stack([self._matrices(part[k, ...]) for k in range(2)], axis=1)
            for name, part in self.memory.items()
        }
        arrays = {"metric/current": self.metric, "flow/accumulated_gradient": self.accumulated, **kept}
        return {name: self.layout.gather(array) for name, array in arrays.items()}

    def restore(self, rows: Callable[[str], np.ndarray]) -> None:
        """Continue from a state: rows(name) gives this rank's train rows of one of its datasets; collective."""
        self._go(rows("metric/current"), rows("flow/accumulated_gradient"))
        self.memory = {name: self._packed(*np.moveaxis(rows(_MEMORY + name), 1, 0)) for name in self.memory}

    @property
    def accumulated(self) -> np.ndarray:
        """A at the own train points: (n_r, d, d) complex128."""
        return self._matrices(self.theta[1, ...])

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic: the same on every rank but for bytes, which are this rank's."""
        options = self.coupling.options
        place = {"backend": options.get("backend", "cpu"), "device_bytes": self.device_bytes}
        made = {"tiles": "arrays"} if self.coupling.kernel.on_arrays else {}
        return {"engine": self.coupling.mode.name, "engine_bytes": self.sum.bytes, **place, "kappa": self.kappa, **made}

    def predictor(self) -> ComponentPredictor:
        """The metric at any targets, as of now."""
        return self._predicting(self.theta)

    def _predicting(self, theta) -> ComponentPredictor:
        accumulated = self._matrices(theta[1, ...])
        return ComponentPredictor(self.surface, self.coupling, accumulated, self.chart, self.rule.rescale, self.scale)

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128; each call is collective."""
        kernel_sum = self.coupling.onto(targets.layout, self.surface.embedded(targets.points.z))
        reference = targets.reference(self.surface)
        scale = rescaling(targets.points.omega2, reference, self.rule.rescale)
        return lambda: self.predictor().added(kernel_sum, reference, scale)

    def _go(self, metric: np.ndarray, accumulated: np.ndarray) -> None:
        self.at = self._bent(self._measured(self._packed(metric, accumulated)))

    def _measured(self, theta) -> Trial:
        entries, fetch = Entries.packed(theta[0, ...], self.device.xp), self.device.fetch
        return Trial(theta, fetch(entries.determinant()) / self.points.omega2, fetch(entries.least()))

    def _packed(self, *parts: np.ndarray):
        return self.device.put(np.stack([hermitian.packed(part) for part in parts]))

    def _matrices(self, reals) -> np.ndarray:
        return hermitian.unpacked(self.device.fetch(reals))

    def _kappa(self) -> float:
        return self.kappa if self.rule.kappa == "fixed" else self._volume()

    def _volume(self) -> float:
        """The w-mean of det g / |Omega|^2, for which eta has w-mean 1; collective."""
        return mean(self.layout, self.points, self.at.ratio)

    def complaint(self, direction, dt: float) -> str:
        """Which point is to blame: one whose gradient is not finite, else the one of least eigenvalue; collective."""
        gradient = self.device.fetch(direction[1, ...])
        bad = ~np.isfinite(gradient).all(1)
        number, _ = self._first(np.where(bad, -1.0, 0.0))
        if self.layout.comm.any(bad.any()):
            return f"the loss gradient of train point {number} is not finite: lower flow.dt or set flow.clip"
        trial = self._measured(self.theta - dt * direction)
        number, value = self._first(np.where(np.isfinite(trial.least), trial.least, -np.inf))
        lost = f"of train point {number} loses positivity (eigenvalue {value:.2e})"
        if value > 0:
            number, _ = self._first(np.where(_bends(self._bent(trial)), 0.0, -1.0))
            lost = f"beside train point {number} loses positivity"
        return f"flow.dt = {dt:g}: the metric {lost} even after {HALVINGS} halvings; lower flow.dt or set flow.clip"

    def _first(self, values: np.ndarray) -> tuple[int, float]:
        """Number and value of the train point of least value; collective."""
        own = (float(values.min()), int(self.layout.rows[values.argmin()])) if len(values) else (np.inf, -1)
        value, number = min(self.layout.comm.allgather(own))
        return number, value


def _bends(trial: Trial) -> np.ndarray:
    """Where a trial has the Ricci form that is asked for: (n_r,) bool. It has none where a metric nearby is not positive."""
    return np.ones(len(trial.least), bool) if trial.ricci is None else np.isfinite(trial.ricci).all((1, 2))


def clipped(gradient: Entries, largest: float | None) -> Entries:
    """Gradients scaled down, point by point, to a Frobenius norm of `largest` at most."""
    if largest is None:
        return gradient
    norm = gradient.norm()
    return gradient.scaled(largest / gradient.xp.where(norm > largest, norm, norm * 0 + largest))
