"""The flow of a Kaehler potential under a frozen kernel: g = g_FS + d dbar phi, phi = sum_m c_m F_m (HR app. B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpiflow import backend
from mpiflow.dataset import PointSet
from mpiflow.engine.low_rank import LowRank
from mpiflow.errors import InputError
from mpiflow.flows.flow import Flow
from mpiflow.flows.history import Record
from mpiflow.flows.linearised import gauss_newton
from mpiflow.flows.monge_ampere import MongeAmpere, State
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.functionals import Functional
from mpiflow.functionals.log import Log
from mpiflow.geometry.domain import Domain
from mpiflow.kernels.features import Features
from mpiflow.preconditioners import Preconditioner
from mpiflow.preconditioners.natural import Natural
from mpiflow.ranks import placement
from mpiflow.ranks.chunks import Chunks
from mpiflow.ranks.exchange import Exchange
from mpiflow.searches import Search
from mpiflow.searches.euler import Euler
from mpiflow.searches.search import HALVINGS

#: Where a state keeps what the search remembers.
_MEMORY = "search/"


@dataclass(frozen=True)
class KaehlerRule:
    """How a step is taken.

    preconditioner: C of the kernel. refreeze: steps after which C is computed anew, None for never; with the natural C, the
    log loss, refreeze = 1 and dt = 1/2 a step is Gauss-Newton's near the solution (theory 4). warm: degree of the features
    on which C acts until it is first frozen anew, None for all. memory: bytes for Hessians that are kept, on the backend.
    """

    dt: float
    loss: Functional = Log()
    search: Search = Euler()
    preconditioner: Preconditioner = Natural()
    refreeze: int | None = None
    warm: int | None = None
    ridge: float = 0.0
    memory: float = 2.0**31
    backend: str = "cpu"


class KaehlerFlow(Flow):
    """c <- c - dt C dl/dc on the train points of all ranks; c predicts g everywhere, exactly Kaehler.

    A step that loses positivity on a train point or raises the loss is halved. Raises InputError for fewer points than
    features without a ridge, NumericalError where no halved step is left.
    """

    def __init__(self, surface: Domain, features: Features, train: PointSet, rule: KaehlerRule):
        if rule.preconditioner.factorises and rule.ridge == 0 and train.layout.total <= len(features):
            raise InputError(
                f"points.train = {train.layout.total}: no more than the {len(features)} features of kernel.degree; "
                "take 3 times as many points, a lower degree, or kernel.ridge > 0"
            )
        self.surface, self.features, self.rule = surface, features, rule
        self.chunks = Chunks(train.layout.comm, train.layout.total)
        points = train.points.map(Exchange(self.chunks.comm, train.layout.rows, self.chunks.rows))
        self.frame = surface.frame(points.z, points.chart)
        self.device = backend.device(rule.backend) or backend.HOST
        engine = LowRank(self.chunks, features, self.frame, rule.memory, self.device)
        self.problem = MongeAmpere(engine, points.weight, rule.loss, surface.form(points))
        self.bytes = engine.bytes if engine.resident else 0
        self.device_bytes = placement.bytes_by_device(self.chunks.comm, rule.backend, self.bytes)
        self.inverse = features.inverse(surface) if rule.preconditioner.inverts else None
        self.steps = 0
        self.state = self.problem.at(np.zeros(len(features)))
        super().__init__(rule.search, rule.dt, self.state.coefficients)
        self._freeze(self.state)

    def direction(self) -> np.ndarray:
        """C dl/dc under the C of now, (P,); collective."""
        every = self.rule.refreeze
        if every and self.steps and self.steps % every == 0:
            self._freeze(self.state)
        return self.rule.preconditioner.direction(self, self.applied)

    def linearised(self, inner: int | None) -> np.ndarray:
        """The step of Gauss-Newton, (P,), to be added; inner: as of `linearised.gauss_newton`; collective."""
        return gauss_newton(self.problem, self.state, self.rule.ridge, inner, self.inverse)

    def tried(self, step: np.ndarray) -> State | None:
        """c - step; None where it loses positivity or raises the loss, which a few never promised to lower."""
        trial = self.problem.at(self.state.coefficients - step)
        # At its end any flow moves the loss by rounding.
        lowered = trial.loss <= self.state.loss * (1 + 1e-6) + 1e-28
        return trial if trial.least > 0 and (lowered or not self.rule.preconditioner.lowers) else None

    def take(self, trial: State) -> None:
        """Go to what was tried."""
        self.state, self.steps = trial, self.steps + 1

    def complaint(self, direction: np.ndarray, dt: float) -> str:
        """What is told where no halved step is left."""
        return (
            f"flow.dt = {dt:g}: no step lowers the loss {self.state.loss:.3g} and keeps the metric positive even after "
            f"{HALVINGS} halvings; lower flow.dt, or the preconditioner does not suit"
        )

    def record(self, dt: float = 0.0, rejected: int = 0) -> Record:
        """The present losses."""
        return Record(dt, rejected, self.state.sigma, self.state.loss, self.state.least)

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """All that a restart needs, on rank 0 (None elsewhere); collective."""
        lower = self.frame.lower
        metric = lower @ self.state.g @ lower.conj().transpose(0, 2, 1)
        arrays = {
            "potential/coefficients": self.state.coefficients,
            "potential/frozen_at": self.frozen_at,
            "potential/steps": np.array([self.steps]),
            **{_MEMORY + name: array for name, array in self.memory.items()},
            **self.features.arrays(),
        }
        first = self.chunks.comm.rank == 0
        return {"metric/current": self.chunks.comm.gather_rows(metric)} | {
            name: array if first else None for name, array in arrays.items()
        }

    def restore(self, rows: Callable[..., np.ndarray]) -> None:
        """Continue from a state: rows(name, None) gives all of one of its datasets; collective."""
        self._freeze(self.problem.at(rows("potential/frozen_at", None)))
        self.state = self.problem.at(rows("potential/coefficients", None))
        self.steps = int(rows("potential/steps", None)[0])
        self.memory = {name: rows(_MEMORY + name, None) for name in self.memory}

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic: the same on every rank but for bytes, which are this rank's."""
        place = {"backend": self.rule.backend, "device_bytes": self.device_bytes}
        return {"engine": "low-rank", "engine_bytes": self.bytes, **place, "features": len(self.features)}

    def predictor(self) -> KaehlerPredictor:
        """The metric at any targets, as of now."""
        return KaehlerPredictor(self.surface, self.features, self.state.coefficients)

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128."""
        p = targets.points
        at = KaehlerPredictor(self.surface, self.features, self.state.coefficients).onto(
            targets.layout, p.z, p.chart, self.rule.memory, self.device
        )
        return lambda: at(self.state.coefficients)

    def _freeze(self, state: State) -> None:
        """C at a metric, where the search asks for directions."""
        self.frozen_at = state.coefficients
        if "direction" in self.search.asks:
            self.applied = self.rule.preconditioner.frozen(self, state)
