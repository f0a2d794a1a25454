"""Kaehler potentials under a frozen kernel (theory 4, HR app. B). What computes is loaded where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from mpiflow.belief.points import missing, outside, single
from mpiflow.methods import components
from mpiflow.settings.section import Count, Kind, NonNegative

if TYPE_CHECKING:
    from mpiflow.comm import Comm
    from mpiflow.config import Config
    from mpiflow.dataset import PointSet
    from mpiflow.flows.potential_predictor import KaehlerPredictor
    from mpiflow.flows.potentials import KaehlerFlow
    from mpiflow.geometry.domain import Domain
    from mpiflow.kernels.invariants import Invariants
    from mpiflow.kernels.sections import Sections
    from mpiflow.state.load import State

_POTENTIAL = ("potential/coefficients", "potential/frozen_at", "potential/steps")
_INVARIANT = tuple(
    f"potential/{name}" for name in ("generators", "shift", "scale", "degree", "factor", "parent", "overlap")
)


class KaehlerKernel(Kind):
    """[kernel] name = "kaehler": g = g_FS + d dbar phi, phi in a frozen space of degree k (theory 4, HR app. B)."""

    degree: Annotated[int, Field(ge=1, le=40)] = 8
    features: Literal["invariant", "generic"] = "invariant"
    preconditioner: Literal["natural", "diagonal", "plain", "ricci"] = "natural"
    refreeze: Count | None = None
    warm: Annotated[int, Field(ge=2, le=40)] | None = None
    ridge: NonNegative = 0.0

    name = "kaehler"
    space = {"flow.dt": [0.05, 0.6]}
    method = "potentials"
    answers = frozenset({"direction", "linearised"})
    kappa = "step"

    @property
    def everywhere(self) -> bool:
        """Whether symmetry maps every chart to the run's own."""
        return self.features == "invariant"

    def check(self, config: Config) -> None:
        """Raises ValueError for what a Kaehler flow cannot do."""
        if config.run.precision != "float64":
            raise ValueError('run.precision = "float32": its normal matrix needs more digits; take "float64"')
        if self.warm and (self.features == "generic" or not self.refreeze):
            raise ValueError(f"kernel.warm = {self.warm}: needs kernel.refreeze, and invariant features")
        if self.features == "generic" and getattr(config.search, "inner", 0) is None:
            raise ValueError(
                "flow.search.inner: missing; generic features have no normal matrix: take e.g. search = { name = "
                f'"{config.search.name}", inner = 60 }}'
            )
        if self.features == "generic" and self.preconditioner in ("diagonal", "ricci"):
            raise ValueError(
                f'kernel.preconditioner = "{self.preconditioner}": generic features know "natural" and "plain"'
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
    from mpiflow.flows.potentials import features_from

    chosen = features_from(config.kernel.features, rows)
    return KaehlerPredictor(surface, chosen, rows("potential/coefficients", None))


def features(comm: Comm, surface: Domain, degree: int, kind: str = "invariant") -> Invariants | Sections:
    """All features of a degree: invariant ones, chosen by rank 0 on a sample of their own, or generic; collective."""
    from mpiflow import sampling
    from mpiflow.kernels.invariants import invariants
    from mpiflow.kernels.sections import sections

    if kind == "generic":
        return sections(surface, degree)
    chosen = None
    with comm.lead() as mine:
        if mine:
            symmetry = surface.symmetry
            needed = int(1.5 * symmetry.count(degree)) + 200
            chunks = -(-needed // (sampling.LINES * surface.points_a_cut))
            z = [sampling.chunk(surface, 0, sampling.BASIS, number, None).z for number in range(chunks)]
            chosen = invariants(symmetry, degree, np.concatenate(z)[:needed])
    return comm.bcast(chosen)


def load(config: Config) -> None:
    """Compile what all runs do, and load what prepares features."""
    from mpiflow import sampling
    from mpiflow.comm import Comm
    from mpiflow.geometry.families.fermat import Fermat

    components.load(config)
    surface = Fermat().domain()
    p = sampling.chunk(surface, 0, sampling.EVALUATE, 0, None).map(lambda rows: rows[:1])
    features(Comm(), surface, 2).prepare(surface.frame(p.z, p.chart))


def plan():
    """The parts of a plan: modules shape, memory, seconds, fit, and how this machine is timed."""
    from mpiflow.plan import low_rank

    return low_rank


def complaints(state: State, config: Config) -> Iterator[str]:
    """What a state lacks to predict the metric: indices are used unchecked later."""
    arrays, generic = state.arrays, config.kernel.features == "generic"
    yield from missing(arrays, tuple(f"search/{name}" for name in config.search.remembers))
    yield from missing(arrays, _POTENTIAL + (("potential/exponents",) if generic else _INVARIANT))
    yield from single(state, "potential/steps", state.step)
    number = len(arrays["potential/exponents"]) ** 2 if generic else len(arrays["potential/degree"]) - 1
    for name in _POTENTIAL[:2]:
        if arrays[name].dtype != np.float64 or len(arrays[name]) != number or not number:
            yield f"{name} is {arrays[name].dtype}[{len(arrays[name])}]: there are {number} features"
    yield from (_sections if generic else _invariants)(arrays, config.kernel.degree)


def _sections(arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
    exponents = arrays["potential/exponents"]
    yield from outside("potential/exponents", exponents, 0, degree)
    if (exponents.sum(1) != degree).any():
        yield f"potential/exponents are not of degree {degree}"


def _invariants(arrays: dict[str, np.ndarray], k: int) -> Iterator[str]:
    degree, factor, parent, overlap = (
        arrays[f"potential/{name}"] for name in ("degree", "factor", "parent", "overlap")
    )
    generators, basis = arrays["potential/generators"], len(degree)
    yield from outside("potential/generators", generators, 0, k)
    if generators.shape[2] != 2 or (generators.sum(1) > k).any():
        yield f"potential/generators are not of degree {k} or less"
    if overlap.shape != (basis, basis) or not overlap.diagonal().all():
        yield "potential/overlap is no square matrix with a diagonal"
    if not arrays["potential/scale"].all():
        yield "potential/scale holds a zero"
    if degree[0] != 0 or (degree[1:] < 1).any() or (np.diff(degree) < 0).any() or degree[-1] > k:
        yield f"potential/degree does not ascend from 0 to at most {k}"
    # A function is made of those of lower degrees alone, products before generators.
    start = np.searchsorted(degree, degree)[1:]
    yield from outside("potential/factor", factor, -len(generators), basis - 1)
    yield from outside("potential/parent", parent, 0, basis - 1)
    if (factor[1:] >= start).any() or (parent[1:] >= start).any():
        yield "potential/factor, potential/parent point at functions that are not known yet"
    if ((np.diff(factor[1:] >= 0) & (factor[2:] >= 0)) & (np.diff(degree[1:]) == 0)).any():
        yield "potential/factor has generators before products"
