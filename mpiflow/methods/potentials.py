"""Kaehler potentials under a frozen kernel (theory 4, HR app. B). What computes is loaded where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from mpiflow.belief.points import missing, single
from mpiflow.doors.door import Door
from mpiflow.methods import components
from mpiflow.methods.spaces import SPACES, Space
from mpiflow.preconditioners import Preconditioner
from mpiflow.settings.section import Count, Kind, NonNegative

if TYPE_CHECKING:
    from mpiflow.comm import Comm
    from mpiflow.config import Config
    from mpiflow.dataset import PointSet
    from mpiflow.flows.potential_predictor import KaehlerPredictor
    from mpiflow.flows.potentials import KaehlerFlow
    from mpiflow.geometry.domain import Domain
    from mpiflow.kernels.features import Features
    from mpiflow.state.load import State

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
    preconditioner: Annotated[Preconditioner, PRECONDITIONERS, Field(validate_default=True)] = "natural"
    """C of the kernel"""
    refreeze: Count | None = None
    """Steps after which C is computed anew; without it never. e.g. 2"""
    warm: Annotated[int, Field(ge=2, le=40)] | None = None
    """Degree of the functions on which C acts until it is first computed anew; without it all. e.g. 6"""
    ridge: NonNegative = 0.0
    """Added to the normal matrix. [its diagonal]"""

    name = "kaehler"
    space = {"flow.dt": [0.05, 0.6]}
    method = "potentials"
    answers = frozenset({"direction", "linearised"})
    kappa = "step"

    @property
    def everywhere(self) -> bool:
        """Whether symmetry maps every chart to the run's own."""
        return self.features.kind.everywhere

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
    """The flow of a run file at step 0; stored: as of `build.flow`. Collective."""
    from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
    from mpiflow.ranks import placement

    k, comm, memory = config.kernel, train.layout.comm, config.engine.memory * 2**30
    placed = placement.place(comm, stored.get("backend") or config.run.backend)
    frozen = (k.preconditioner, k.refreeze, k.warm, k.ridge)
    rule = KaehlerRule(config.flow.dt, config.flow.loss, config.search, *frozen, memory, placed)
    return KaehlerFlow(surface, features(comm, surface, k.degree, k.features), train, rule)


def predictor(
    config: Config, surface: Domain, train: PointSet, stored: dict, rows: Callable[..., np.ndarray]
) -> KaehlerPredictor:
    """The metric that a state predicts, as of `build.predictor`; collective."""
    from mpiflow.flows.potential_predictor import KaehlerPredictor

    chosen = config.kernel.features.kind.of(lambda name: rows(name, None))
    return KaehlerPredictor(surface, chosen, rows("potential/coefficients", None))


def features(comm: Comm, surface: Domain, degree: int, kind: str | Space = "invariant") -> Features:
    """All features of a degree, made by rank 0 on points of their own; collective."""
    from mpiflow import sampling

    space = Space(SPACES.find(kind)) if isinstance(kind, str) else kind

    def draw(count: int) -> np.ndarray:
        chunks = -(-count // (sampling.LINES * surface.points_a_cut))
        z = [sampling.chunk(surface, 0, sampling.BASIS, number, None).z for number in range(chunks)]
        return np.concatenate(z)[:count]

    made = None
    with comm.lead() as mine:
        if mine:
            made = space.kind.made(surface, degree, draw)
    return comm.bcast(made)


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
    arrays, space = state.arrays, config.kernel.features
    yield from missing(arrays, tuple(f"search/{name}" for name in config.search.remembers))
    yield from missing(arrays, (*_POTENTIAL, *space.kind.names()))
    yield from single(state, "potential/steps", state.step)
    yield from space.kind.complaints(arrays, config.kernel.degree)
    # What is only named knows no number.
    number = len(space.kind.of(arrays.__getitem__) if space.opened else arrays[_POTENTIAL[0]])
    for name in _POTENTIAL[:2]:
        if arrays[name].dtype != np.float64 or len(arrays[name]) != number or not number:
            yield f"{name} is {arrays[name].dtype}[{len(arrays[name])}]: there are {number} features"
