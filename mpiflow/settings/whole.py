"""A whole run file, and what must fit together in it."""

from __future__ import annotations

from typing import Annotated

import tomli_w
from pydantic import Field, model_validator

from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain
from mpiflow.methods import registry
from mpiflow.methods.registry import Kernel, Network
from mpiflow.searches import Search
from mpiflow.settings.course import LOSSES, SEARCHES, Engine, Flow, Output
from mpiflow.settings.problem import Clusters, Manifold, Points, Run
from mpiflow.settings.section import Kind, Section
from mpiflow.tune.settings import Tune

#: Manifolds by their tables [manifold]: a plan asks for the same one a dozen times, and its search for a singular point takes
#: a second.
_domains: dict[tuple, Domain] = {}


class Config(Section):
    """A whole run file."""

    run: Run = Run()
    manifold: Annotated[Manifold, Field(validate_default=True)] = {}  # type: ignore[assignment]  # validated into its class
    points: Points = Points()
    clusters: Clusters = Clusters()
    kernel: Kernel = None
    network: Network = None
    flow: Annotated[Flow, Field(description="give [flow] with at least dt and steps")]
    engine: Engine = Engine()
    output: Output = Output()
    # Of a study of runs, not of a run: no state remembers it.
    tune: Tune = Field(default=Tune(), exclude=True)

    @model_validator(mode="after")
    def _consistent(self):
        if not self.kernel and not self.network:
            raise ValueError(
                f"kernel: missing; give [kernel] with name {' or '.join(registry.KERNELS.names())}, or [network]"
            )
        if self.kernel and self.network:
            raise ValueError("kernel, network: a run has one of the two; remove the other")
        if None not in (lives := (self.manifold.lives, self.moved_by.lives)) and lives[0] != lives[1]:
            raise ValueError(
                f'manifold.family = "{self.manifold.name}": is one of {lives[0]}, and kernel.name = '
                f'"{self.method}" moves metrics on {lives[1]}; change one of the two'
            )
        if self.flow.coupling == "halo" and self.kernel and self.kernel.reach(self.flow.halo_tolerance) is None:
            raise ValueError(
                f'flow.coupling = "halo": the {self.kernel.name} kernel is felt everywhere, so no halo holds it; '
                'use "all" or "none"'
            )
        if self.engine.mode.pairs and not self.paired:
            raise ValueError(
                f'engine.mode = "{self.engine.mode.name}": computes each pair of train points once, for symmetric kernels that '
                'couple all of them; set flow.coupling = "all", or take "streamed"'
            )
        if not self.search.asks <= self.moved_by.answers:
            suitable = [name for name, kind in SEARCHES.known().items() if kind.asks <= self.moved_by.answers]
            wants = f", which {self.search.wants} does" if self.search.wants else ""
            raise ValueError(
                f'flow.search = "{self.search.name}": a {self.method} flow does not answer what it asks{wants}; take '
                f"{', '.join(suitable)}"
            )
        if not self.flow.loss.asks <= self.moved_by.answers:
            suitable = [name for name, kind in LOSSES.known().items() if kind.asks <= self.moved_by.answers]
            raise ValueError(
                f'flow.loss = "{self.flow.loss.name}": a {self.method} flow does not know what it asks for; take '
                f"{self.flow.loss.wants}, or another loss"
            )
        if self.run.inner != "float64" and "linearised" not in self.moved_by.answers:
            raise ValueError(
                f'run.inner = "{self.run.inner}": a {self.method} flow has no products within a step; remove it'
            )
        self.moved_by.check(self)
        if self.manifold.pointed:
            for named in (self.search, self.flow.loss):
                named.check(self)
            self._check_points()
        return self

    def _check_points(self) -> None:
        """Raises ValueError for a chart that there is not, and for clusters that are too many."""
        chart = self.points.chart
        if chart == "all" and not self.moved_by.transforms:
            raise ValueError(
                f'points.chart = "all": the components of a {self.method} kernel do not transform between charts; '
                'choose one, e.g. chart = [0, 1], or kernel.name = "kaehler"'
            )
        if chart != "all":
            self.manifold.check_chart(chart)
        smallest = self.points.train % self.clusters.batch or min(self.clusters.batch, self.points.train)
        if self.clusters.count > smallest:
            raise ValueError(
                f"clusters.count = {self.clusters.count}: more clusters than the {smallest} points of the smallest "
                "mini-batch; lower clusters.count, or choose clusters.batch so that it divides points.train"
            )

    def on_points(self, asker: str) -> None:
        """Raises InputError where the run has no points, with who asks for them."""
        if not self.manifold.pointed:
            raise InputError(
                f'{asker}: takes points of a complex manifold, and manifold.family = "{self.manifold.name}" is of '
                f"{self.manifold.lives}; mpiflow info shows what its states hold"
            )

    @property
    def moved_by(self) -> Kind:
        """What moves the metric: the table [kernel] or [network]."""
        return self.kernel or self.network

    @property
    def method(self) -> str:
        """The name of the kernel, or "network"."""
        return self.kernel.name if self.kernel else self.network.method

    @property
    def square(self) -> bool:
        """Whether pairs of points are best computed once: where they may be, on a CPU (on a GPU it gains little)."""
        return self.paired and self.run.backend != "gpu"

    @property
    def paired(self) -> bool:
        """Whether every train point is coupled to every other by a kernel of pairs."""
        return (self.flow.coupling == "all" or self.clusters.count == 1) and self.moved_by.symmetric

    @property
    def search(self) -> Search:
        """How a step is taken: given, or the usual one of what moves the metric."""
        return self.flow.search or SEARCHES.made(self.moved_by.search)

    @property
    def kappa(self) -> str:
        """The rule for kappa in the flow's gradient: given, or the usual one (theory 3)."""
        return self.flow.kappa or self.moved_by.kappa

    def surface(self) -> Domain:
        """The manifold; raises InputError where it is not Calabi-Yau or where a singular point is found."""
        key = (type(self.manifold), self.manifold.model_dump_json())
        if key not in _domains:
            _domains[key] = self.manifold.domain()
        return _domains[key]

    def text(self) -> str:
        """The resolved run file as TOML, every default written out; of a run without points nothing of them."""
        none = {"points", "clusters", "engine"} if not self.manifold.pointed else None
        return tomli_w.dumps(self.model_dump(exclude=none, exclude_none=True, mode="json"))
