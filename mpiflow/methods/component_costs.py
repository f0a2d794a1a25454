"""What a flow of components takes: bytes and seconds out of its kernel's profile and the engine that will run."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import engine, sampling
from mpiflow.clustering.linkages.average import Average
from mpiflow.config import Config
from mpiflow.engine import neighbours
from mpiflow.errors import InputError
from mpiflow.flows.solved import TOGETHER
from mpiflow.geometry import chern
from mpiflow.geometry.domain import Domain
from mpiflow.job.evaluate import DEFECT_POINTS
from mpiflow.methods.components import SAMPLE
from mpiflow.modes import Mode, choice
from mpiflow.modes.streamed import Streamed
from mpiflow.plan import costs
from mpiflow.plan import points as of_points
from mpiflow.plan.costs import COLLECTIVES, changed
from mpiflow.plan.stopwatch import best

if TYPE_CHECKING:
    from mpiflow.plan.machine import Machine

#: Bytes of a pair over (n+1)^2 while it is judged whether a kernel is sparse.
_PAIR = 12.5
#: Rows and sources of the kernel that is timed; one of so many shares of the pairs of all sources is.
_ROWS, _SOURCES, _SHARES = 1024, 8192, 4
#: A displaced point with its g_FS takes so many times what a point's loss does.
_DISPLACED = 40


class Costs(costs.PointCosts):
    """The engine's tiles or records, the metric and what it accumulates. Clusters are taken as equally large."""

    def __init__(self, config: Config, ranks: int):
        super().__init__(config, ranks)
        kernel, precision = config.kernel, config.run.precision
        #: Coordinates of the projective space in which kernels live.
        self.width = self.surface.embedded(np.ones((1, self.coordinates), complex)).shape[1]
        self.kept, self.itemsize = 1.0, np.dtype(precision).itemsize
        if kernel.sparse:
            self.kept = _kept(config)
        #: Whether the run itself judges how sparse its kernel is, which it does where nothing else says so.
        self.judges = False
        self.sources = self.train if config.flow.coupling == "all" else ceil(self.train / config.clusters.count)
        #: Clusters of a rank, and the sources of all of them; matrices that it solves, all points or one cluster each.
        self.groups = ceil(config.clusters.count / ranks)
        self.solved = "solved" in config.search.asks | config.flow.loss.asks
        #: Metrics a point beside its own that a step asks for.
        self.nearby = chern.metrics(self.dimension) if "ricci" in config.flow.loss.asks else 0
        self.blocks = 1 if config.flow.coupling == "all" else self.groups
        self.listed = self.groups * self.sources
        options = {"mode": config.engine.mode, "precision": precision, "budget": int(self.budget)}
        self.chosen = choice.choose(
            kernel, self.train, self.sources, kept=self._judged, square=config.square, **options
        )

    @property
    def mode(self) -> str:
        """The engine in words."""
        return self.chosen.name

    def _judged(self) -> float:
        self.judges = True
        return self.kept

    def engine(self, rows: int) -> int:
        """Bytes between steps of the engine that will run, for so many target rows."""
        return self._engine(self.chosen, rows)

    @property
    def _matrix(self) -> int:
        """Bytes of the kernel between the points of a block that is solved."""
        return 8 * self.sources**2 * self.solved

    @property
    def held(self) -> float:
        """Two engines with the factors of their points, the metric and what is accumulated, g_FS of the unseen points."""
        return self._own + self._watching + self.metric * (self.rows + self.unseen)

    @property
    def building(self) -> float:
        """g_FS on its way, of the train points or at last of the unseen ones; or what judges whether a kernel is sparse."""
        judged = neighbours.TOGETHER * min(SAMPLE, self.train) * _PAIR * self.width**2 * self.judges
        factorised = (self.blocks + TOGETHER - 1) * self._matrix
        begun = self._own + self.rows * self._geometry, self._own + 4 * self.metric * self.rows + self._displaced
        return max(*begun, self.held + self.unseen * self._geometry, judged, factorised)

    @property
    def stepping(self) -> float:
        """g and its gradient beside v of the sources: received, put in order, weighted, and joined to their records."""
        joined = self.listed * (self._record + 5 * self._columns)
        return max(5 * self.metric * self.rows, 4 * self.metric * self.rows + max(joined, self._displaced))

    @property
    def looking(self) -> float:
        """The same of what is accumulated, for the unseen points."""
        joined = self.listed * (self._record + 7 * self._columns)
        return self.metric * self.unseen + max(joined, 1.5 * self.metric * self.unseen)

    @property
    def evaluating(self) -> float:
        """g_FS of all; or an engine of its own for them, or for the displaced points of the Kaehler defect."""
        most, few = max(self.rows, self.unseen), min(DEFECT_POINTS, max(self.train, self.test))
        sources = self.listed * (4 * self._record + 5 * self._columns)
        return max(most * self._geometry, sources + max(most * (3 * self.metric + 80), few * 3.2 * self._geometry))

    @property
    def own(self) -> float:
        """The accumulated gradient."""
        return self.train * self.metric

    @property
    def excess(self) -> str:
        """Why a resident kernel, or one that is solved, is larger than engine.memory allows."""
        if TOGETHER * self._matrix > self.budget:
            return (
                f"its kernel of {self.sources:,} x {self.sources:,} entries takes {TOGETHER * self._matrix / 2**30:,.2f} GiB "
                f"while it is solved, and engine.memory allows {self.config.engine.memory:g} GiB"
            )
        size = self.engine(self.rows)
        if not self.chosen.whole or size <= self.budget:
            return ""
        return (
            f"its kernel of {self.rows:,} x {self.sources:,} entries takes {size / 2**30:,.2f} GiB on each of {self.ranks} "
            f"ranks, and engine.memory allows {self.config.engine.memory:g} GiB"
        )

    @property
    def key(self) -> str:
        """The key that makes the run as large as it is, with its value."""
        kept = self.chosen.whole and self.test <= self.train
        return f'engine.mode = "{self.config.engine.mode.name}"' if kept else super().key

    def changes(self) -> Iterator[tuple[str, Config, int]]:
        """A streamed kernel, or what makes any run smaller."""
        if self.chosen != Streamed() and not Streamed().complaint(self.config.kernel):
            yield 'engine.mode = "streamed"', changed(self.config, {"engine.mode": Streamed()}), self.ranks
        yield from super().changes()

    def step(self, m: Machine, look: bool = True) -> dict[str, float]:
        """One step of the flow with its look at the unseen points, by part."""
        columns, unseen = self.dimension**2, self.unseen * look
        # Three products with the eigenvectors.
        solved = 6 * m.flop * self.blocks * self.sources / self.rows
        own = solved if self.solved else self.chosen.seconds(m, self.kept)
        elsewhere = self.chosen.elsewhere.seconds(m, self.kept)
        entries = self.rows * own + (unseen + self.rows * self.nearby) * elsewhere
        # v to all, and from a symmetric engine the sums of all.
        sent = (4 if self.chosen.pairs else 2) * 8 * columns * self.sources * (self.ranks > 1)
        return {
            "kernel": entries * self.sources * columns / 9,
            "losses": (self.rows + unseen + self.rows * self.nearby * _DISPLACED) * m.point,
            "exchange": sent * m.byte * (1 + self.nearby),
            "allreduce": COLLECTIVES * m.latency * log2(self.ranks) if self.ranks > 1 else 0.0,
        }

    def built(self, m: Machine) -> float:
        """Entries that are kept, or added up once for a normalisation."""
        kept = self.itemsize * self.chosen.whole * m.fresh
        # Tridiagonal form, its eigenvectors, and back: about 9 N^3.
        solving = self.solved * self.blocks * self.sources**2 * (m.entry + 9 * self.sources * m.flop)
        return solving + (self.rows * (not self.solved) + self.unseen) * self.sources * (self._filled(m) + kept)

    def evaluated(self, m: Machine) -> float:
        """Every entry once more, and those of the displaced points of the Kaehler defect."""
        displaced = 8 * self.dimension * min(DEFECT_POINTS, self.unseen) * 2
        return (self.rows + self.unseen + displaced) * self.sources * max(self._filled(m), m.entry)

    @property
    def _own(self) -> float:
        """The engine of the train points, with the factors and numbers of its points, or what is solved; and their metric."""
        engine = self.engine(self.rows) + self._factors(self.rows)
        return (self.blocks * self._matrix if self.solved else engine) + self.rows * self.metric

    @property
    def _watching(self) -> float:
        """The engine of the unseen points."""
        return self._engine(self.chosen.elsewhere, self.unseen) + self._factors(self.unseen)

    def _engine(self, mode: Mode, rows: int) -> int:
        """One for each cluster, with sources of its own."""
        shape, n = (ceil(rows / self.groups), self.sources), self.width - 1
        each = mode.holds(self.config.kernel, n, shape, self.config.run.precision, self.kept)
        return self.groups * each

    def _factors(self, rows: int) -> int:
        return 16 * rows + 32 * self.listed

    @property
    def _displaced(self) -> float:
        """The train points displaced, with what their g_FS takes, where a step asks for their neighbourhood."""
        return self.rows * 1.7 * self._geometry if self.nearby else 0.0

    @property
    def _record(self) -> int:
        """Bytes of a source in a streamed engine, or in the one that searches."""
        kernel = self.config.kernel
        mode = self.chosen if Streamed().complaint(kernel) else Streamed()
        return mode.holds(kernel, self.width - 1, (0, 1), self.config.run.precision)

    @property
    def _columns(self) -> int:
        """Bytes of one metric as reals."""
        return self.metric // 2

    @property
    def _geometry(self) -> int:
        """Bytes of a point while its g_FS is made: powers, Jacobian, metric."""
        n, d = self.coordinates, self.dimension
        return 16 * (n * (n + 1 + d) + d**2)

    def _filled(self, m: Machine) -> float:
        return m.filled if self.chosen.once else m.entry * (self.config.flow.normalisation == "row")


#: Shares of pairs by what they depend on: a plan that looks for a cure asks for the same one a dozen times.
_shares: dict[tuple, float] = {}


def _kept(config: Config) -> float:
    """The share of pairs within the kernel's reach, on a sample of the train points."""
    run, surface = config.run, config.surface()
    chart = None if config.points.chart == "all" else config.points.chart
    key = (id(surface), config.kernel, run.precision, run.seed, chart)
    if key not in _shares:
        z = surface.embedded(sampling.chunk(surface, run.seed, sampling.TRAIN, 0, chart).z)
        _shares[key] = engine.kept_fraction(config.kernel, z, run.precision)
    return _shares[key]


def timed(config: Config, surface: Domain) -> dict[str, float]:
    """Seconds of the entries of a component kernel, and of pairs of a clustering, on this machine."""
    kernel, precision = config.kernel, config.run.precision
    if kernel.nearest:
        raise InputError(
            f"plan --calibrate: the {kernel.name} kernel has no entries to time; its steps cost next to nothing"
        )
    points = sampling.chunk(surface, 1, sampling.EVALUATE, 0, None)
    z = np.resize(points.z, (_SOURCES, points.z.shape[1]))
    v = np.ones((_SOURCES, surface.dimension**2))
    entries = _ROWS * _SOURCES
    found = {"pair": best(lambda: Average().label(z[:1500], 2)) / (1500 * 1499 / 2)}
    for mode, name in (("streamed", "entry"), ("resident", "stored")):
        built = choice.build(kernel, z[:_ROWS], z, mode=mode, precision=precision)
        found[name] = best(lambda built=built: built.apply(v)) / entries
    if kernel.symmetric:
        paired = engine.Symmetric(kernel, z, precision, parts=_SHARES)
        found["paired"] = best(lambda: paired.shares(v)) * _SHARES / _SOURCES**2
    found["filled"] = best(lambda: choice.build(kernel, z[:_ROWS], z, mode="resident", precision=precision)) / entries
    return of_points.timed(config, surface) | found
