"""Flows of metrics on real grids (HR 2.38 - 2.42, theory 10). What computes is loaded where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field as Key

from mpiflow.belief.points import missing
from mpiflow.doors.door import Door
from mpiflow.errors import InputError
from mpiflow.grids.beside import Beside
from mpiflow.grids.fields import Field
from mpiflow.grids.weights import Weighted
from mpiflow.settings.course import Engine, Flow
from mpiflow.settings.problem import Clusters, Points, Seed
from mpiflow.settings.section import Kind, NonNegative
from mpiflow.state import schema

if TYPE_CHECKING:
    from mpiflow.comm import Comm
    from mpiflow.config import Config
    from mpiflow.flows.grid import GridFlow
    from mpiflow.grids import Space
    from mpiflow.job.driven import Driven
    from mpiflow.state.load import State

FIELDS = Door("kernel.field", "mpiflow.grids.fields.field:Field", "mpiflow.grids.fields")
BESIDES = Door("kernel.beside", "mpiflow.grids.beside.beside:Beside", "mpiflow.grids.beside")

_METRIC = "method/metric"
schema.say(_METRIC, "1", "the metric at each grid point, its components last, as its manifold has them")
for name, meaning in {
    "volume": "volume of the space",
    "integral_R": "integral of the scalar curvature R",
    "integral_R2": "integral of R^2",
    "greatest_R": "greatest |R|",
    "unround": "how far a sphere is from round, (max - min) / mean of its factor",
    "unsteady": "greatest |Ric + Hess phi|, 0 for a cigar",
    "length": "length of the circle",
    "radius": "radius of the narrowest sphere",
    "energy": "Perelman's F of the measure of the flat background",
}.items():
    schema.say(f"history/{name}", "1", meaning)


class GridKernel(Kind):
    """[kernel] name = "grid": a normalised Gaussian of some width on a real grid, 0 for the local flow (HR 2.27)."""

    width: NonNegative = 0.0
    """Width s of the kernel, in the flat or round background; 0 is the local flow. [length]"""
    field: Annotated[Field, FIELDS, Key(validate_default=True)] = "ricci"
    """How the metric flows"""
    alpha: Annotated[float, Key(ge=0, le=10)] = 0.0
    """A factor 1 + alpha cos x_1 cos x_1' of the kernel, on a torus."""
    density: Annotated[float, Key(gt=-1, lt=1)] = 0.0
    """A density 1 + density cos x_2 of points, in place of an even one, on a torus."""
    batch: Annotated[int, Key(ge=1, le=2**27)] | None = None
    """Grid points that are summed over, drawn at random once for all; without it all of them are. e.g. 4000"""
    units: Annotated[int, Key(ge=1, le=2**27)] | None = None
    """Units of a cosine network in place of the Gaussian that it tends to, on a torus. e.g. 4096"""
    beside: Annotated[Beside | None, BESIDES] = None
    """Factors h(x) and alpha(x, x') of the kernel, and a density, on a torus"""
    seed: Seed = 1
    """Of the points of a batch, and of the units of a network."""

    name = "grid"
    method = "grid"
    search = "rk4"
    answers = frozenset({"velocity"})
    lives = "real grids"

    @property
    def flowed(self) -> Field | Weighted:
        """The field, under what stands beside the Gaussian where something does."""
        if not (self.alpha or self.density or self.batch or self.units or self.beside):
            return self.field
        return Weighted(self.field, self.alpha, self.density, self.batch, self.seed, self.units, self.beside)

    def check(self, config: Config) -> None:
        """Raises ValueError for keys that are of points."""
        flow = {
            name: value for name, value in config.flow if name not in ("steps", "dt", "search", "test_every", "loss")
        }
        usual = dict(Flow(dt=1.0))
        found = [f"flow.{name}" for name, value in flow.items() if value != usual[name]]
        found += ["flow.loss"] * (config.flow.loss != Flow(dt=1.0).loss)
        for section, default in (("points", Points()), ("clusters", Clusters()), ("engine", Engine())):
            given = dict(getattr(config, section))
            found += [f"{section}.{name}" for name, value in default if given[name] != value]
        if found:
            raise ValueError(f"{', '.join(found)}: a flow on a grid takes no such key; remove it")
        if config.run.precision != "float64" or config.run.backend == "gpu":
            raise ValueError(
                f'run.precision = "{config.run.precision}", run.backend = "{config.run.backend}": a flow on a grid is in '
                "float64 on CPUs; remove them"
            )


def flow(config: Config, space: Space, comm: Comm, stored: dict) -> GridFlow:
    """The flow of a run file at step 0, each rank with its slab where the space has them. Collective."""
    from mpiflow.flows.grid import GridFlow
    from mpiflow.ranks.slabs import Slabs

    if space.sliced:
        most = min(space.shape[0], space.columns)
        if comm.size > most:
            raise InputError(
                f"{comm.size} ranks: a grid of manifold.points = {space.shape[0]} has slabs for {most} at most"
            )
        space = space.placed(Slabs(comm, space.shape[0], space.columns))
    k, f = config.kernel, config.flow
    return GridFlow(comm, space, k.flowed, k.width, config.search, f.steps, f.dt)


def predictor(config: Config, space: Space, comm: Comm, stored: dict, rows) -> None:
    """Raises InputError: a grid is known at its points alone."""
    config.on_points("a predictor")


def driven() -> type[Driven]:
    """What the main job drives."""
    from mpiflow.job.on_grid import OnGrid

    return OnGrid


def load(config: Config) -> None:
    """Load what all runs do: nothing is compiled."""
    import mpiflow.job.on_grid  # noqa: F401


def costs() -> ModuleType:
    """What its runs take: `Costs(config, ranks)` of the heaviest rank, and how a machine is `timed` for them."""
    from mpiflow.methods import grid_costs

    return grid_costs


def complaints(state: State, config: Config) -> Iterator[str]:
    """What a state lacks to go on."""
    yield from missing(state.arrays, (_METRIC,))
    u, space = state.arrays[_METRIC], config.surface()
    if u.dtype != np.float64 or u.shape != (*space.shape, space.components):
        yield f"{_METRIC} is {u.dtype}{list(u.shape)}: the run file says float64{[*space.shape, space.components]}"
