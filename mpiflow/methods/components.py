"""Flows of independent components under a frozen kernel (HR 3.5). What computes is loaded where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.belief import points
from mpiflow.belief.points import hermitian, missing
from mpiflow.kernels import Kernel
from mpiflow.methods import registry
from mpiflow.modes import MODES, Mode

if TYPE_CHECKING:
    from mpiflow.config import Config
    from mpiflow.coupling import Coupling
    from mpiflow.dataset import PointSet
    from mpiflow.flows.component_predictor import ComponentPredictor
    from mpiflow.flows.components import ComponentFlow
    from mpiflow.geometry.domain import Domain
    from mpiflow.job.driven import Driven
    from mpiflow.ranks.shards import Layout
    from mpiflow.state.load import State

#: Train points, the first ones, from which it is judged whether a cut-off makes the kernel sparse.
SAMPLE = 1000


def flow(config: Config, surface: Domain, train: PointSet, stored: dict) -> ComponentFlow:
    """The flow of a run file at step 0; stored: as of `section.VERBS`. Collective."""
    from mpiflow.flows.components import ComponentFlow, Rule

    f = config.flow
    arithmetic = config.run.precision, config.kernel.rescale, config.engine.memory * 2**30
    rule = Rule(f.dt, f.loss, config.search, f.natural_gradient, config.kappa, f.clip, *arithmetic)
    return ComponentFlow(surface, coupling(config, surface, train, stored), train, rule, config.points.chart)


def predictor(
    config: Config, surface: Domain, train: PointSet, stored: dict, rows: Callable[..., np.ndarray]
) -> ComponentPredictor:
    """The metric that a state predicts, as of `section.VERBS`; collective."""
    from mpiflow.flows.component_predictor import ComponentPredictor, rescaling

    accumulated, power = rows("flow/accumulated_gradient"), config.kernel.rescale
    scale = rescaling(train.points.omega2, train.reference(surface), power) if power else None
    made = coupling(config, surface, train, stored)
    return ComponentPredictor(surface, made, accumulated, config.points.chart, power, scale)


def coupling(config: Config, surface: Domain, train: PointSet, stored: dict) -> Coupling:
    """The train points as sources of the run's kernel, under the engine that the run began with; collective."""
    from mpiflow import backend
    from mpiflow.coupling import Coupling
    from mpiflow.ranks import placement

    chosen = config.kernel
    z = surface.embedded(train.points.z)
    lists = source_lists(config, train.layout, z)
    # Engines differ in their last bits, so what `auto` came to once holds for the whole run.
    placed = placement.place(train.layout.comm, stored.get("backend") or config.run.backend)
    # What a run file names, also a user's at another place than before; what auto came to is one of ours.
    kept = stored.get("engine") if config.engine.mode.source is None else None
    mode = MODES.made(kept) if kept else _engine(config, chosen, train.layout, z, lists)
    # Neighbours are looked up on the host.
    device = backend.device("cpu" if mode.on_host else placed)
    direct = device is not backend.HOST and placement.cuda_aware(train.layout.comm)
    options = {"mode": mode, "precision": config.run.precision, "backend": placed}
    return Coupling(chosen, train.layout, z, lists, config.flow.normalisation, device, direct, **options)


def source_lists(config: Config, layout: Layout, z: np.ndarray) -> list[np.ndarray]:
    """Source numbers of each cluster, ascending: its own, those within its kernel's reach as well, or all; collective.

    The halo is that of the train points of a cluster; for unseen points its tolerance is an estimate.
    """
    from mpiflow.clustering.halo import with_halo

    if config.flow.coupling == "all":
        return [np.arange(layout.total)] * layout.count
    reach = config.kernel.reach(config.flow.halo_tolerance) if config.flow.coupling == "halo" else 0.0
    return with_halo(layout, z, reach) if reach else layout.members


def _engine(config: Config, chosen, layout: Layout, z: np.ndarray, lists: list[np.ndarray]) -> Mode:
    from mpiflow import engine
    from mpiflow.modes import choice

    def kept() -> float:
        own = layout.rows < SAMPLE
        number = layout.comm.allgather_rows(layout.rows[own])
        sample = layout.comm.allgather_rows(z[own])[np.argsort(number)]
        return engine.kept_fraction(chosen, sample, config.run.precision)

    entries = sum(len(member) * len(sources) for member, sources in zip(layout.members, lists, strict=True))
    return choice.choose(
        chosen,
        1,
        entries,
        mode=config.engine.mode,
        precision=config.run.precision,
        budget=int(config.engine.memory * 2**30),
        kept=kept,
        square=config.square,
    )


def driven() -> type[Driven]:
    """What the main job drives."""
    from mpiflow.job.flowing import Flowing

    return Flowing


def load(config: Config) -> None:
    """Compile the tiles of all kernels that registers know, in both precisions; what their parameters are does not matter."""
    from mpiflow import sampling
    from mpiflow.geometry.families.fermat import Fermat
    from mpiflow.modes import choice

    z = sampling.chunk(Fermat().domain(), 0, sampling.EVALUATE, 0, None).z[:4]
    for kind in (kind for kind in registry.KERNELS.known().values() if issubclass(kind, Kernel)):
        kernel = kind.model_construct(**{name: 1.0 for name, key in kind.model_fields.items() if key.is_required()})
        for precision in ("float64", "float32"):
            if not kernel.nearest and not kernel.on_arrays:
                choice.build(kernel, z, z, mode="streamed", precision=precision).apply(np.ones((4, 9)))


def costs() -> ModuleType:
    """What its runs take: `Costs(config, ranks)` of the heaviest rank, and how a machine is `timed` for them."""
    from mpiflow.methods import component_costs

    return component_costs


def complaints(state: State, config: Config) -> Iterator[str]:
    """What a state lacks to predict the metric."""
    yield from points.complaints(state, config)
    name, kept = "flow/accumulated_gradient", tuple(f"search_points/{name}" for name in config.search.remembers)
    yield from missing(state.arrays, (name, *kept))
    yield from hermitian(name, state.arrays[name])
    engines = [name for name, mode in MODES.known().items() if mode.place is not None]
    if state.attributes["engine"] not in engines and config.engine.mode.source is None:
        yield f"attribute engine is {state.attributes['engine'][:40]!r}: it is one of {', '.join(engines)}"
