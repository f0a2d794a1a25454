"""From the words of a run file to the objects of the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import engine, losses, sampling
from mpiflow.clustering.halo import with_halo
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.coupling import Coupling
from mpiflow.dataset import PointSet
from mpiflow.errors import InputError
from mpiflow.evaluate import Predictor
from mpiflow.flows.component_predictor import ComponentPredictor
from mpiflow.flows.components import ComponentFlow, Rule
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule, features_from
from mpiflow.geometry import hypersurface
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.geometry.symmetry import symmetry_of
from mpiflow.kernels.invariants import Invariants, invariants
from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.sections import Sections, sections
from mpiflow.ranks import placement

if TYPE_CHECKING:
    from mpiflow.network.flow import NetworkFlow
    from mpiflow.network.objective import Objective

#: Train points, the first ones, from which it is judged whether a cut-off makes the kernel sparse.
_SAMPLE = 1000


def flow(
    config: Config, surface: Hypersurface, train: PointSet, stored: dict
) -> ComponentFlow | KaehlerFlow | NetworkFlow:
    """The flow of a run file at step 0; stored: attributes of the state it resumes from, {} for none. Collective."""
    f = config.flow
    if config.network:
        # JAX is an extra, and slow to load.
        from mpiflow.network import place
        from mpiflow.network.flow import NetworkFlow, NetworkRule

        n, run = config.network, config.run
        placed = place(stored.get("backend") or run.backend)
        goal = objective(config, surface)
        rule = NetworkRule(goal, f.dt, n.batch, run.seed, n.decay, run.precision, backend=placed)
        return NetworkFlow(surface, train, rule, config.points.chart)
    if config.method == "kaehler":
        k = config.kernel
        memory = config.engine.memory * 2**30
        placed = placement.place(train.layout.comm, stored.get("backend") or config.run.backend)
        frozen = (k.preconditioner, k.refreeze, k.warm, k.ridge)
        rule = KaehlerRule(f.dt, losses.LOSSES[f.loss], *frozen, memory, placed)
        return KaehlerFlow(surface, features(train.layout.comm, surface, k.degree, k.features), train, rule)
    rule = Rule(f.dt, losses.LOSSES[f.loss], f.natural_gradient, config.kappa, f.clip, config.run.precision)
    return ComponentFlow(surface, coupling(config, train, stored), train, rule, config.points.chart)


def predictor(
    config: Config, surface: Hypersurface, train: PointSet, stored: dict, rows: Callable[[str], np.ndarray]
) -> Predictor:
    """The metric that a state predicts: rows(name) gives this rank's train rows of a dataset; collective."""
    if config.network:
        from mpiflow.network.predictor import NetworkPredictor

        theta = rows("network/parameters", None)
        return NetworkPredictor(surface, objective(config, surface), theta, config.points.chart)
    if config.method == "kaehler":
        return KaehlerPredictor(
            surface, features_from(config.kernel.features, rows), rows("potential/coefficients", None)
        )
    accumulated = rows("flow/accumulated_gradient")
    return ComponentPredictor(surface, coupling(config, train, stored), accumulated, config.points.chart)


def objective(config: Config, surface: Hypersurface) -> Objective:
    """The network of a run file and its losses. Raises InputError without JAX."""
    from mpiflow.network.flow import architecture
    from mpiflow.network.objective import Objective

    n = config.network
    shape = architecture(surface, n.kind, width=n.width, depth=n.depth, activation=n.activation)
    return Objective(shape, n.kind, config.flow.loss, n.sigma, n.kaehler, n.transition)


def features(comm: Comm, surface: Hypersurface, degree: int, kind: str = "invariant") -> Invariants | Sections:
    """All features of a degree: invariant ones, chosen by rank 0 on a sample of their own, or generic; collective."""
    if kind == "generic":
        return sections(surface, degree)
    chosen = None
    with comm.lead() as mine:
        if mine:
            symmetry = symmetry_of(surface)
            needed = int(1.5 * symmetry.count(degree)) + 200
            chunks = -(-needed // (sampling.LINES * surface.degree))
            z = [sampling.chunk(surface, 0, sampling.BASIS, number, None).z for number in range(chunks)]
            chosen = invariants(symmetry, degree, np.concatenate(z)[:needed])
    return comm.bcast(chosen)


def coupling(config: Config, train: PointSet, stored: dict) -> Coupling:
    """The train points as sources of the run's kernel, under the engine that the run began with; collective."""
    chosen = kernel(config)
    lists = source_lists(config, train)
    # Engines differ in their last bits, so what `auto` came to once holds for the whole run.
    wanted = "cpu" if config.engine.mode == "symmetric" else config.run.backend
    placed = placement.place(train.layout.comm, stored.get("backend") or wanted)
    mode = stored.get("engine") or _engine(config, chosen, train, lists, config.square and placed == "cpu")
    # Neighbours are looked up on the host.
    direct = placed == "gpu" and mode != "neighbours" and placement.cuda_aware()
    options = {"mode": mode, "precision": config.run.precision, "backend": placed}
    return Coupling(chosen, train.layout, train.points.z, lists, config.flow.normalisation, direct, **options)


def kernel(config: Config) -> Kernel:
    """The component kernel of a run file. Raises InputError for a Kaehler kernel or a network, which have none."""
    if config.components is None:
        raise InputError(
            f'a run with "{config.method}" is not planned: it streams no kernel, and keeps under 2 kB a point on its rank; '
            "run it as it is, or plan one with a component kernel"
        )
    return config.components


def source_lists(config: Config, train: PointSet) -> list[np.ndarray]:
    """Source numbers of each cluster, ascending: its own, those within its kernel's reach as well, or all; collective.

    The halo is that of the train points of a cluster; for unseen points its tolerance is an estimate.
    """
    layout = train.layout
    if config.flow.coupling == "all":
        return [np.arange(layout.total)] * layout.count
    reach = config.kernel.reach(config.flow.halo_tolerance) if config.flow.coupling == "halo" else 0.0
    return with_halo(layout, train.points.z, reach) if reach else layout.members


def _engine(config: Config, chosen: Kernel, train: PointSet, lists: list[np.ndarray], square: bool) -> str:
    layout, kept = train.layout, 1.0
    if chosen.sparse:
        own = layout.rows < _SAMPLE
        number = layout.comm.allgather_rows(layout.rows[own])
        sample = layout.comm.allgather_rows(train.points.z[own])[np.argsort(number)]
        kept = engine.kept_fraction(chosen, sample, config.run.precision)
    entries = sum(len(member) * len(sources) for member, sources in zip(layout.members, lists, strict=True))
    return engine.choose(
        chosen,
        1,
        entries,
        mode=config.engine.mode,
        precision=config.run.precision,
        budget=int(config.engine.memory * 2**30),
        kept=kept,
        square=square,
    )


def compiled(config: Config) -> None:
    """Compile what is compiled at first use into its cache, so that ranks load it rather than all compile it."""
    surface, kernel = hypersurface.fermat(4), config.components
    z = sampling.chunk(surface, 0, sampling.EVALUATE, 0, None).z[:4]
    if kernel and kernel.profile(z.shape[1] - 1, config.run.precision):
        engine.build(kernel, z, z, mode="streamed", precision=config.run.precision).apply(np.ones((4, 9)))
