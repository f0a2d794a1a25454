"""The flow of a Kaehler potential: g = g_FS + d dbar phi, phi = f(sum_m c_m F_m) (HR app. B).

Where f is linear the kernel of the metric is frozen; else it moves with the metric, by the chain rule (`ansatz.composed`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpiflow import backend
from mpiflow.ansatz import Ansatz
from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.linear import Linear
from mpiflow.dataset import PointSet
from mpiflow.engine.low_rank import LowRank
from mpiflow.errors import InputError
from mpiflow.flows.flow import Flow
from mpiflow.flows.history import Record
from mpiflow.flows.ladder import Ladder
from mpiflow.flows.linearised import gauss_newton, smooth
from mpiflow.flows.monge_ampere import MongeAmpere, State
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.functionals import Functional
from mpiflow.functionals.log import Log
from mpiflow.geometry.domain import Domain
from mpiflow.kernels.features import Features
from mpiflow.preconditioners import Preconditioner
from mpiflow.preconditioners.natural import Natural
from mpiflow.ranks import placement
from mpiflow.ranks.chunks import CHUNK, Chunks, wide
from mpiflow.ranks.exchange import Exchange
from mpiflow.searches import Search
from mpiflow.searches.euler import Euler
from mpiflow.searches.search import HALVINGS

#: Where a state keeps what the search remembers.
_MEMORY = "search/"
#: Largest weight in a capped loss, in means of all.
_CAP = 2.0


@dataclass(frozen=True)
class KaehlerRule:
    """How a step is taken.

    preconditioner: C of the kernel. refreeze: steps after which C is computed anew, None for never; with the natural C, the
    log loss, refreeze = 1 and dt = 1/2 a step is Gauss-Newton's near the solution (theory 4). warm: degree of the features
    on which C acts until it is first frozen anew, None for all. memory: bytes for what is prepared of features and kept, on
    the backend. ansatz: f. weights: of the loss, "omega", "fubini-study" or "capped". single: whether products within a
    step are float32. smooth: whether the ridge weighs rough functions more, in the loss itself; flat: the ridge, where not.
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
    ansatz: Ansatz = Linear()
    weights: str = "omega"
    single: bool = False
    smooth: bool = False

    @property
    def flat(self) -> float:
        """Added to the normal matrix of a step, relative to its diagonal."""
        return 0.0 if self.smooth else self.ridge


class KaehlerFlow(Flow):
    """c <- c - dt C dl/dc on the train points of all ranks; c predicts g everywhere, exactly Kaehler.

    A step that loses positivity on a train point or raises the loss is halved. Up a ladder, features of each degree take over
    from those below; but on the last rung few points are enough. Raises InputError for fewer points than features without a
    ridge, NumericalError where no halved step is left.
    """

    def __init__(self, surface: Domain, ladder: Ladder | Features, train: PointSet, rule: KaehlerRule):
        self.surface, self.train, self.rule = surface, train, rule
        self.ladder = ladder if isinstance(ladder, Ladder) else Ladder.of(ladder)
        self.device = backend.device(rule.backend)
        self.steps = 0
        self._stand(self.ladder.rung(0))
        self.state = self.problem.at(np.zeros(len(self.features)))
        super().__init__(rule.search, rule.dt, self.state.coefficients)
        self._freeze(self.state)

    def _stand(self, rung: int) -> None:
        """The equation for the features of a rung."""
        self.rung, rule, layout = rung, self.rule, self.train.layout
        self.degree = self.ladder.degrees[rung]
        self.features = self.ladder.made(self.degree)
        total = self.ladder.points(rung, layout.total, len(self.features))
        if rule.search.solves and rule.preconditioner.factorises and rule.ridge == 0 and total <= len(self.features):
            raise InputError(
                f"points.train = {layout.total}: no more than the {len(self.features)} features of kernel.degree; "
                "take 3 times as many points, a lower degree, or kernel.ridge > 0"
            )
        self.chunks = Chunks(layout.comm, total, CHUNK if self.device is backend.HOST else wide(total))
        points = self.train.points.map(Exchange(self.chunks.comm, layout.rows, self.chunks.rows))
        self.frame = self.surface.frame(points.z, points.chart)
        self.phi = Composed(rule.ansatz, self.degree, "jets" in rule.loss.asks)
        inner = self._engine(rule.memory, single=True) if rule.single else None
        engine = self._engine(rule.memory - (inner.bytes if inner and inner.resident else 0))
        weight, form = points.weight, self.surface.form(points)
        self.problem = MongeAmpere(engine, weight, rule.loss, form, self.phi, self._loss_weight(weight), inner)
        if rule.smooth and (weighed := self.features.smoothness()):
            self.problem.prior = smooth(self.problem, rule.ridge, weighed)
        self.bytes = sum(made.bytes for made in (engine, inner) if made and made.resident)
        self.device_bytes = placement.bytes_by_device(self.chunks.comm, self.device, self.bytes)
        self.inverse = self.features.inverse(self.surface) if rule.preconditioner.inverts else None

    def _engine(self, memory: float, single: bool = False) -> LowRank:
        return LowRank(self.chunks, self.features, self.frame, memory, self.device, self.phi.whole, single)

    def _loss_weight(self, weight: np.ndarray) -> np.ndarray | None:
        """Of the own points in the loss; None for their own."""
        if self.rule.weights == "omega":
            return None
        if self.rule.weights == "fubini-study":
            return np.ones_like(weight)
        return np.minimum(weight, _CAP * self.chunks.sum(weight) / self.chunks.total)

    def _climb(self) -> None:
        """Go on with the features of the next rung, from what this one found, or from g_FS where that is none; collective."""
        below, found = self.features, self.state.coefficients
        self._stand(self.rung + 1)
        start = self.ladder.start(
            self.chunks.comm, self.surface, below, self.features, self.rung, self.rule.ansatz, found
        )
        self.state = self.problem.at(start)
        if not self.state.least > 0:
            self.state = self.problem.at(np.zeros(len(self.features)))
        self.memory = {name: np.zeros(len(self.features)) for name in self.memory}
        self._freeze(self.state)

    def step(self) -> Record:
        """One step, on the rung where it is due; collective."""
        while self.rung < self.ladder.rung(self.steps):
            self._climb()
        return super().step()

    def slope(self) -> np.ndarray:
        """dl/dc, (P,); collective."""
        return self.problem.gradient(self.state)

    def direction(self) -> np.ndarray:
        """C dl/dc under the C of now, (P,); collective."""
        every = self.rule.refreeze
        if every and self.steps and self.steps % every == 0 and self.frozen_at is not self.state.coefficients:
            self._freeze(self.state)
        found = self.rule.preconditioner.direction(self, self.applied)
        if np.shape(found) != self.state.coefficients.shape or np.iscomplexobj(found):
            raise InputError(
                f'kernel.preconditioner = "{self.rule.preconditioner.name}": its direction is '
                f"{np.asarray(found).dtype}{list(np.shape(found))}; it must be float64{[len(self.features)]}"
            )
        return found

    def linearised(self, inner: int | None) -> np.ndarray:
        """The step of Gauss-Newton, (P,), to be added; inner: as of `linearised.gauss_newton`; collective."""
        return gauss_newton(self.problem, self.state, self.rule.flat, inner, self.inverse)

    def balanced(self) -> np.ndarray:
        """c of Donaldson's T-map of the metric of now, (P,); collective. Raises NumericalError for too few points."""
        chunks, k = self.chunks, self.degree
        weight = self.problem.measure / chunks.sum(self.problem.measure) / (1 + self.state.jets[:, 0])
        each = chunks.each(self.frame.z, weight)
        partials = (self.features.moments(z, chunks.zeroed(w, rows), k) for rows, (z, w) in each)
        moments = chunks.tree(self.features.moments(self.frame.z[:0], weight[:0], k).shape, partials)
        return chunks.comm.led(self.features.balanced, self.surface, moments, k, self.ladder.draw)

    def tried(self, step: np.ndarray) -> State | None:
        """c - step; None where it loses positivity or raises the loss, which a few never promised to lower."""
        trial = self.problem.at(self.state.coefficients - step)
        # At its end any flow moves the loss by rounding.
        lowered = trial.objective <= self.state.objective * (1 + 1e-6) + 1e-28
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
        degree = self.degree if len(self.ladder.degrees) > 1 else None
        return Record(dt, rejected, self.state.sigma, self.state.loss, self.state.least, degree)

    def snapshot(self) -> dict[str, np.ndarray | None]:
        """All that a restart needs, on rank 0 (None elsewhere); collective."""
        metric, first = self._metric(), self.chunks.comm.rank == 0
        arrays = {
            "potential/coefficients": self.state.coefficients,
            "potential/frozen_at": self.frozen_at,
            "potential/steps": np.array([self.steps]),
            **{_MEMORY + name: array for name, array in self.memory.items()},
            **self.features.arrays(),
        }
        return {"metric/current": metric} | {name: array if first else None for name, array in arrays.items()}

    def _metric(self) -> np.ndarray | None:
        """g at all train points on rank 0, None elsewhere; collective."""
        layout, p = self.train.layout, self.train.points
        if self.chunks.total < layout.total:
            return layout.gather(self.predictor().metric(layout, p.z, p.chart))
        lower = self.frame.lower
        return self.chunks.comm.gather_rows(lower @ self.state.g @ lower.conj().transpose(0, 2, 1))

    def restore(self, rows: Callable[..., np.ndarray]) -> None:
        """Continue from a state: rows(name, None) gives all of one of its datasets; collective."""
        self.steps = int(rows("potential/steps", None)[0])
        if (rung := self.ladder.rung(max(self.steps - 1, 0))) != self.rung:
            self._stand(rung)
        self._freeze(self.problem.at(rows("potential/frozen_at", None)))
        self.state = self.problem.at(rows("potential/coefficients", None))
        self.memory = {name: rows(_MEMORY + name, None) for name in self.memory}

    def attributes(self) -> dict[str, object]:
        """What a state says of the arithmetic: the same on every rank but for bytes, which are this rank's."""
        place = {"backend": self.rule.backend, "device_bytes": self.device_bytes}
        kept = self.features.symmetry(self.surface)
        own = {"features": len(self.features)} | ({"symmetry": kept} if kept else {})
        return {"engine": "low-rank", "engine_bytes": self.bytes, **place, **own}

    def predictor(self) -> KaehlerPredictor:
        """The metric at any targets, as of now."""
        return KaehlerPredictor(self.surface, self.features, self.state.coefficients, self.phi)

    def watch(self, targets: PointSet) -> Callable[[], np.ndarray]:
        """A function that gives the metric at targets as of its call, (n_r, d, d) complex128."""
        p = targets.points

        def onto():
            return self.features, self.predictor().onto(targets.layout, p.z, p.chart, self.rule.memory, self.device)

        known, at = onto()

        def now() -> np.ndarray:
            nonlocal known, at
            if known is not self.features:
                known, at = onto()
            return at(self.state.coefficients)

        return now

    def _freeze(self, state: State) -> None:
        """C at a metric, where the search asks for directions."""
        self.frozen_at = state.coefficients
        if "direction" in self.search.asks:
            self.applied = self.rule.preconditioner.frozen(self, state)
