"""Finite networks in place of a frozen kernel (HR 3.3). JAX is an extra, and slow to load: where it is asked for alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from mpiflow.belief import points
from mpiflow.belief.points import missing, outside, single
from mpiflow.methods import components
from mpiflow.methods.components import driven as driven
from mpiflow.settings.course import Flow
from mpiflow.settings.section import Count, Kind, NonNegative

if TYPE_CHECKING:
    from mpiflow.config import Config
    from mpiflow.dataset import PointSet
    from mpiflow.geometry.domain import Domain
    from mpiflow.network.flow import NetworkFlow
    from mpiflow.network.objective import Objective
    from mpiflow.network.predictor import NetworkPredictor
    from mpiflow.sampling import Points
    from mpiflow.state.load import State

_NETWORK = tuple(f"network/{name}" for name in ("parameters", "adam_mean", "adam_variance", "adam_count", "epochs"))


class Network(Kind):
    """[network]: a finite network in place of a frozen kernel (HR 3.3); `flow.steps` are epochs, `flow.dt` Adam's rate.

    batch: points of a mini-batch. decay: factor on the rate from epoch to epoch. sigma, kaehler, transition: weights of
    the losses. A kind whose matrix is joined to the reference gives `joined` alone; whole: one function on all of X; apart:
    one network for each real of that matrix; weighted: whether losses count points by their weights; tangent, since: of its
    `network.architecture`.
    """

    width: Annotated[int, Field(ge=1, le=16_384)] = 64
    """Units of a hidden layer."""
    depth: Annotated[int, Field(ge=1, le=32)] = 3
    """Hidden layers."""
    activation: Literal["relu", "gelu", "tanh"] = "gelu"
    """Of the hidden layers."""
    batch: Count = 256
    """Points of a mini-batch."""
    decay: Annotated[float, Field(ge=1e-30, le=1)] = 1.0
    """Factor on the rate from epoch to epoch."""
    silent: bool = True
    """Whether the last layer begins at zero, so that g begins at g_FS; else all layers begin at random."""
    sigma: NonNegative = 1.0
    """Weight of the loss."""
    kaehler: NonNegative = 0.0
    """Weight of the Kaehler defect squared."""
    transition: NonNegative = 0.0
    """Weight of what the metrics of two charts differ by, squared."""

    key = "kind"
    method = "network"
    search = "adam"
    answers = frozenset({"epoch"})
    needs = ("jax", "optax")
    space = {"flow.dt": [1e-4, 1e-2], "network.decay": [0.8, 1.0]}
    whole: ClassVar[bool] = False
    apart: ClassVar[bool] = False
    weighted: ClassVar[bool] = True
    tangent: ClassVar[tuple[float, float] | None] = None
    since: ClassVar[int | None] = None

    @model_validator(mode="after")
    def _consistent(self):
        if not self.sigma + self.kaehler + self.transition:
            raise ValueError("sigma = 0: with network.kaehler and network.transition 0 too there is no loss; take 1")
        return self

    def tried(self, beside: dict) -> None:
        """Try a user's kind. Raises ValueError for a matrix that is not Hermitian, and for what is no seed or spread."""
        from mpiflow.network.trial import tried

        tried(self)

    def check(self, config: Config) -> None:
        """Raises ValueError for what a network cannot do."""
        if config.clusters.count != 1:
            raise ValueError(f"clusters.count = {config.clusters.count}: one network knows no clusters; take 1")
        default = Flow(dt=1.0)
        names = ("normalisation", "natural_gradient", "kappa", "clip", "coupling")
        found = [f"flow.{name}" for name in names if getattr(config.flow, name) != getattr(default, name)]
        found += ["points.noise"] * bool(config.points.noise)
        if found:
            raise ValueError(f"{', '.join(found)}: a network takes no such key; remove it")
        if self.transition and config.points.chart != "all":
            raise ValueError(
                f"network.transition = {self.transition:g}: a run in one chart has no transitions; remove it, or "
                'take points.chart = "all"'
            )

    def ends(self, coordinates: int, dimension: int) -> tuple[int, int]:
        """Reals that the network takes and gives, for so many homogeneous coordinates and d."""
        return 2 * coordinates, dimension**2

    @property
    def compiled(self) -> Network:
        """What formulas see of it, by which they are compiled anew: all, but for what its first parameters alone depend on."""
        return self

    def size(self, coordinates: int, dimension: int) -> int:
        """Number of parameters of all networks."""
        first, last = self.ends(coordinates, dimension)
        networks = last if self.apart else 1
        widths = [first, *[self.width] * self.depth, last // networks]
        return networks * sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))

    def columns(self, surface, z, chart) -> dict[str, np.ndarray]:
        """What the metric takes of points, name -> (N, ...), as of `network.inputs`."""
        from mpiflow.network import inputs

        return inputs.component(surface, z, chart)

    def density(self, surface, points: Points) -> np.ndarray:
        """What det g is divided by for eta, but for kappa: (N,)."""
        return points.omega2

    def metric(self, network, theta, p):
        """g in the chart of a point, from its columns: (d, d) complex Hermitian, of JAX."""
        from mpiflow.network import metrics

        values = network(theta, p["x"])
        return self.joined(p["reference"], metrics.matrix(values - p["begun"] if "begun" in p else values))

    def joined(self, reference, added):
        """g of g_FS and the network's matrix, (d, d) complex Hermitian each."""
        raise NotImplementedError(f"network.kind = {self.name}: its class has no joined(self, reference, added)")

    def slope(self, reference, along_reference, added, along):
        """d_c g_(a bbar) from those of both: (c, d, d) complex. By JAX, where `joined` is holomorphic in both."""
        from mpiflow.network import metrics

        return metrics.along(self.joined, (reference, added), (along_reference, along))


def flow(config: Config, surface: Domain, train: PointSet, stored: dict) -> NetworkFlow:
    """The flow of a run file at step 0; stored: as of `section.VERBS`. Collective."""
    from mpiflow.network import place
    from mpiflow.network.flow import NetworkFlow, NetworkRule
    from mpiflow.ranks import placement

    n, run = config.network, config.run
    placed = place(stored.get("backend") or run.backend, placement.local_rank(train.layout.comm))
    goal = objective(config, surface)
    rule = NetworkRule(goal, config.flow.dt, n.batch, run.seed, n.decay, run.precision, n.silent, placed, config.search)
    return NetworkFlow(surface, train, rule, config.points.chart)


def predictor(
    config: Config, surface: Domain, train: PointSet, stored: dict, rows: Callable[..., np.ndarray]
) -> NetworkPredictor:
    """The metric that a state predicts, as of `section.VERBS`; collective."""
    from mpiflow.network.predictor import predicted

    return predicted(surface, objective(config, surface), rows("network/parameters", None), config.points.chart)


def objective(config: Config, surface: Domain) -> Objective:
    """The network of a run file and its losses. Raises InputError without JAX."""
    from mpiflow.network.flow import architecture
    from mpiflow.network.objective import Objective

    n = config.network
    return Objective(architecture(surface, n), n.compiled, config.flow.loss, n.sigma, n.kaehler, n.transition)


def load(config: Config) -> None:
    """Compile what all runs do, and load JAX."""
    import_module("mpiflow.network.flow")
    components.load(config)


def costs() -> ModuleType:
    """What its runs take: `Costs(config, ranks)` of the heaviest rank, and how a machine is `timed` for them."""
    from mpiflow.methods import network_costs

    return network_costs


def complaints(state: State, config: Config) -> Iterator[str]:
    """What a state lacks to predict the metric."""
    yield from points.complaints(state, config)
    yield from missing(state.arrays, _NETWORK)
    n = config.network
    number = n.size(state.arrays["points/z"].shape[1], state.arrays["metric/current"].shape[1])
    for name in _NETWORK[:3]:
        found = state.arrays[name]
        if found.shape != (number,) or found.dtype != config.run.precision:
            yield f"{name} is {found.dtype}{list(found.shape)}: the run file says {config.run.precision}[{number}]"
    yield from outside(_NETWORK[2], state.arrays[_NETWORK[2]], 0, np.inf)
    yield from single(state, "network/epochs", state.step)
    yield from outside("network/adam_count", state.arrays["network/adam_count"], 0, np.inf)
