"""Kaehler potentials under a frozen kernel (theory 4, HR app. B). What computes is loaded where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from mpiflow.ansatz import Ansatz
from mpiflow.belief import points
from mpiflow.belief.points import missing, single
from mpiflow.doors.door import Door
from mpiflow.methods import components
from mpiflow.methods.spaces import SPACES, Space, space
from mpiflow.preconditioners import Preconditioner
from mpiflow.settings.section import Count, Kind, NonNegative

if TYPE_CHECKING:
    from mpiflow.comm import Comm
    from mpiflow.config import Config
    from mpiflow.dataset import PointSet
    from mpiflow.flows.potential_predictor import KaehlerPredictor
    from mpiflow.flows.potentials import KaehlerFlow
    from mpiflow.geometry.domain import Domain
    from mpiflow.kernels.features import Draw, Features
    from mpiflow.state.load import State

ANSAETZE = Door("kernel.potential", "mpiflow.ansatz.ansatz:Ansatz", "mpiflow.ansatz")
PRECONDITIONERS = Door(
    "kernel.preconditioner", "mpiflow.preconditioners.preconditioner:Preconditioner", "mpiflow.preconditioners"
)

_POTENTIAL = ("potential/coefficients", "potential/frozen_at", "potential/steps")


class KaehlerKernel(Kind):
    """[kernel] name = "kaehler": g = g_FS + d dbar phi, phi in a frozen space of degree k (theory 4, HR app. B)."""

    degree: Annotated[int, Field(ge=1, le=40)] = 8
    """The degree k of the functions."""
    features: Annotated[Space, SPACES, Field(validate_default=True)] = "invariant"
    """The functions that phi is made of"""
    potential: Annotated[Ansatz, ANSAETZE, Field(validate_default=True)] = "linear"
    """What the potential is of a sum of them"""
    preconditioner: Annotated[Preconditioner, PRECONDITIONERS, Field(validate_default=True)] = "natural"
    """C of the kernel"""
    refreeze: Count | None = None
    """Steps after which C is computed anew; without it never. e.g. 2"""
    warm: Annotated[int, Field(ge=2, le=40)] | None = None
    """Degree of the functions on which C acts until it is first computed anew; without it all. e.g. 6"""
    ladder: Annotated[list[Annotated[int, Field(ge=1, le=40)]], Field(min_length=2)] | None = None
    """Degrees to climb by, the last one kernel.degree; each starts from the metric of the one before. e.g. [4, 8]"""
    rung: Count = 4
    """Steps of the flow on each degree of the ladder but the last."""
    weights: Literal["omega", "fubini-study", "capped"] = "omega"
    """Of the points in the loss: Omega's, those of g_FS, or Omega's up to twice their mean."""
    ridge: NonNegative = 0.0
    """Added to the normal matrix. [its diagonal]"""
    prior: Literal["flat", "smooth"] = "flat"
    """What the ridge weighs: all functions alike in each step, or rough ones more, in the loss itself."""

    name = "kaehler"
    space = {"flow.dt": [0.05, 0.6]}
    method = "potentials"
    kappa = "step"

    @property
    def answers(self) -> frozenset[str]:
        """What its features answer, too: of sections where they stand in a logarithm, of second derivatives where in a sum."""
        features, potential = self.features.kind.answers, self.potential
        without = {word for word, on in (("balanced", potential.powers), ("second", potential.linear)) if not on}
        return frozenset({"direction", "linearised", "slope", "reference", "metric", "jets"}) | (features - without)

    @property
    def everywhere(self) -> bool:
        """Whether symmetry maps every chart to the run's own."""
        return self.features.kind.everywhere

    @property
    def degrees(self) -> tuple[int, ...]:
        """Of the rungs."""
        return tuple(self.ladder or [self.degree])

    def reached(self, steps: int) -> int:
        """The degree of a state after so many steps."""
        return self.degrees[min(max(steps - 1, 0) // self.rung, len(self.degrees) - 1)]

    def check(self, config: Config) -> None:
        """Raises ValueError for what a Kaehler flow cannot do."""
        answers, asks = self.features.kind.answers, self.preconditioner.asks
        if config.run.precision != "float64":
            raise ValueError('run.precision = "float32": its normal matrix needs more digits; take "float64"')
        if "hessians" not in answers and getattr(config.search, "inner", 0) is None:
            raise ValueError(
                f"flow.search.inner: missing; {self.features.name} features have no normal matrix: take e.g. search = "
                f'{{ name = "{config.search.name}", inner = 60 }}'
            )
        if self.warm and not (self.refreeze and self.features.kind.graded):
            raise ValueError(
                f"kernel.warm = {self.warm}: needs kernel.refreeze, and features with degrees, as invariant ones are"
            )
        if self.ladder and (self.warm or self.ladder[-1] != self.degree or any(np.diff(self.ladder) <= 0)):
            raise ValueError(
                f"kernel.ladder = {self.ladder}: must ascend to kernel.degree = {self.degree}, and does not go with "
                "kernel.warm"
            )
        if self.prior == "smooth" and "hessians" in answers:
            raise ValueError(
                f'kernel.prior = "smooth": {self.features.name} features have no Casimir operator; take generic ones, or "flat"'
            )
        if not asks <= answers:
            known = [name for name, kind in PRECONDITIONERS.known().items() if kind.asks <= answers]
            raise ValueError(
                f'kernel.preconditioner = "{self.preconditioner.name}": {self.features.name} features know {", ".join(known)}'
            )
        if config.clusters.count != 1:
            raise ValueError(f"clusters.count = {config.clusters.count}: one potential knows no clusters; take 1")
        if config.kappa != "step" or config.flow.natural_gradient or config.flow.clip or config.points.noise:
            raise ValueError(
                'flow.kappa, flow.natural_gradient, flow.clip, points.noise: a Kaehler flow takes kappa = "step" and '
                "none of the others; remove them"
            )


def flow(config: Config, surface: Domain, train: PointSet, stored: dict) -> KaehlerFlow:
    """The flow of a run file at step 0; stored: as of `section.VERBS`. Collective."""
    from mpiflow.flows.ladder import Ladder
    from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
    from mpiflow.ranks import placement

    k, comm, memory = config.kernel, train.layout.comm, config.engine.memory * 2**30
    placed = placement.place(comm, stored.get("backend") or config.run.backend)
    frozen = (k.preconditioner, k.refreeze, k.warm, k.ridge)
    ansatz = (k.potential, k.weights, config.run.inner == "float32", k.prior == "smooth")
    rule = KaehlerRule(config.flow.dt, config.flow.loss, config.search, *frozen, memory, placed, *ansatz)

    def made(degree: int) -> Features:
        return features(comm, surface, degree, k.features)

    return KaehlerFlow(surface, Ladder(k.degrees, k.rung, made, drawn(surface)), train, rule)


def predictor(
    config: Config, surface: Domain, train: PointSet, stored: dict, rows: Callable[..., np.ndarray]
) -> KaehlerPredictor:
    """The metric that a state predicts, as of `section.VERBS`; collective."""
    from mpiflow.ansatz.composed import Composed
    from mpiflow.flows.potential_predictor import KaehlerPredictor

    k = config.kernel
    chosen = k.features.kind.of(lambda name: rows(name, None))
    phi = Composed(k.potential, k.reached(int(rows("potential/steps", None)[0])))
    return KaehlerPredictor(surface, chosen, rows("potential/coefficients", None), phi)


def features(comm: Comm, surface: Domain, degree: int, kind: str | Space = "invariant") -> Features:
    """All features of a degree, made by rank 0 on points of their own; collective."""
    chosen = space(kind) if isinstance(kind, str) else kind
    return comm.led(chosen.kind.made, surface, degree, drawn(surface))


def drawn(surface: Domain) -> Draw:
    """Points of X that no run trains on, the same on all ranks."""
    from mpiflow import sampling

    def draw(count: int) -> np.ndarray:
        chunks = -(-count // (surface.cuts * surface.points_a_cut))
        z = [sampling.chunk(surface, 0, sampling.BASIS, number, None).z for number in range(chunks)]
        return np.concatenate(z)[:count]

    return draw


driven = components.driven


def load(config: Config) -> None:
    """Compile what all runs do, and load what prepares features."""
    from mpiflow import sampling
    from mpiflow.comm import Comm
    from mpiflow.geometry.families.fermat import Fermat

    components.load(config)
    surface = Fermat().domain()
    p = sampling.chunk(surface, 0, sampling.EVALUATE, 0, None).map(lambda rows: rows[:1])
    features(Comm(), surface, 2).prepare(surface.frame(p.z, p.chart))


def costs() -> ModuleType:
    """What its runs take: `Costs(config, ranks)` of the heaviest rank, and how a machine is `timed` for them."""
    from mpiflow.methods import potential_costs

    return potential_costs


def complaints(state: State, config: Config) -> Iterator[str]:
    """What a state lacks to predict the metric: indices are used unchecked later."""
    yield from points.complaints(state, config)
    arrays, chosen = state.arrays, config.kernel.features
    yield from missing(arrays, tuple(f"search/{name}" for name in config.search.remembers))
    yield from missing(arrays, (*_POTENTIAL, *chosen.kind.names()))
    yield from single(state, "potential/steps", state.step)
    if config.kernel.ladder:
        yield from missing(arrays, ("history/degree",))
    yield from chosen.kind.complaints(arrays, config.kernel.reached(state.step))
    # What is only named knows no number.
    number = len(chosen.kind.of(arrays.__getitem__) if chosen.opened else arrays[_POTENTIAL[0]])
    for name in _POTENTIAL[:2]:
        if arrays[name].dtype != np.float64 or len(arrays[name]) != number or not number:
            yield f"{name} is {arrays[name].dtype}[{len(arrays[name])}]: there are {number} features"
