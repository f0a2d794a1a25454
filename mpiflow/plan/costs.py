"""What a run takes of its heaviest rank, from its run file alone: what is the same for all methods."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from mpiflow.config import Config
from mpiflow.ranks.shards import TILE

if TYPE_CHECKING:
    from mpiflow.plan.machine import Machine

#: Collectives of a step: sums of losses and measures, positivity, triggers, and what the method exchanges.
COLLECTIVES = 14
#: Bytes of a file beside its datasets; how much larger it is made in memory, where it grows by eighths.
_FILE, _GROWN = 60_000, 1.125
#: Cuts that are solved together; bytes of each in all charts, and in one.
_TOGETHER, _SOLVED, _ACCEPTED = 1000, 680, 300


class Costs:
    """Of one run on so many ranks. Each method derives its own, with `mode`, how it computes in words, and

        state         bytes of a state file
        flowing       bytes of rank 0 between steps
        bytes()       bytes of rank 0 by stage, beyond the interpreter and its libraries
        step(m), seconds(m)
                      seconds of a step by part, of the whole run by stage, on a `Machine`
        key           the key that makes the run as large as it is, with its value

    All bytes are of NumPy's arrays (tests hold them to 10 %).
    """

    def __init__(self, config: Config, ranks: int):
        self.config, self.ranks, self.surface = config, ranks, config.surface()

    def refuse(self) -> None:
        """Raises InputError for what the run itself refuses before any work."""

    def start(self) -> None:
        """Raises InputError for what the run refuses by its start, once it fits."""

    @property
    def excess(self) -> str:
        """Why the engine does not fit into engine.memory; "" where it does, or does without."""
        return ""

    @property
    def on_device(self) -> int:
        """Bytes that a rank keeps on a GPU."""
        return 0

    def changes(self) -> Iterator[tuple[str, Config, int]]:
        """Settings and numbers of ranks that take less, in words and as they are, the nearest of each key first."""
        for factor in (2**k for k in range(1, 18)):
            yield f"--ranks {factor * self.ranks}", self.config, factor * self.ranks

    @property
    def saves(self) -> int:
        """States that are written, but for those by the clock."""
        steps = self.config.flow.steps
        return 1 + ceil(steps / (self.config.output.every_steps or steps or 1))


class PointCosts(Costs):
    """Of a run on points. Each method derives its own, with `mode`, the engine in words, and

        engine(rows)  bytes of an engine between steps for so many target rows
        held          bytes between steps beyond the points: engines, metrics
        building, stepping, looking, evaluating
                      bytes beyond what is held then, at the peak of the build, a step, a look at the unseen points, the
                      evaluation
        own           bytes of its own datasets in a state
        step(m), built(m), evaluated(m)
                      seconds of a step by part, of the build, of the evaluation, on a `Machine`

    rows, unseen: train and test rows, whole units of them.
    """

    #: Rows are owned in such units, of which the last is filled up where they are prepared.
    unit: ClassVar[int] = TILE
    filled: ClassVar[bool] = False

    def __init__(self, config: Config, ranks: int):
        super().__init__(config, ranks)
        self.train, self.test = config.points.train, config.points.test
        self.rows, self.unseen = self._share(self.train, self.unit), self._share(self.test, TILE)
        self.coordinates, self.dimension = config.manifold.coordinates, config.manifold.dimension
        self.budget = config.engine.memory * 2**30
        #: Bytes of one metric, and of one point with its numbers in exchanges and layouts.
        self.metric, self.point = 16 * self.dimension**2, 16 * self.coordinates + 30

    @property
    def late(self) -> float:
        """Bytes of what is held that only the first step makes."""
        return 0

    @property
    def on_device(self) -> int:
        """Bytes that a rank keeps on a GPU."""
        return self.engine(self.rows) + self.engine(self.unseen)

    @property
    def key(self) -> str:
        """The key that makes the run as large as it is, with its value."""
        return f"points.test = {self.test}" if self.test > self.train else f"points.train = {self.train}"

    def changes(self) -> Iterator[tuple[str, Config, int]]:
        """Settings and numbers of ranks that take less, in words and as they are, the nearest of each key first."""
        yield from super().changes()
        for train in (self.train // 2**k for k in range(1, 12)):
            yield f"points.train = {train}", changed(self.config, {"points.train": train}), self.ranks

    @property
    def state(self) -> int:
        """Bytes of a state file."""
        return int(_FILE + self._constant + (self.train + self.test) * self.metric + self.own)

    @property
    def flowing(self) -> int:
        """Bytes of rank 0 between steps."""
        return int(self.point * (self.rows + self.unseen) + self.held + self._constant)

    def bytes(self) -> dict[str, int]:
        """Bytes of rank 0 by stage, beyond the interpreter and its libraries."""
        points = self.point * (self.rows + self.unseen)
        # What the flow hands over is gathered when the unseen points are looked at.
        gathered = self.train * self.metric + self.own
        found = {
            "sample": self._sampling,
            "cluster": 2 * points + self._clustering,
            "build": points + max(self.held - self.late, self.building),
            "flow": self.flowing + max(self.stepping, self.looking),
            "save": self.flowing + max(gathered + self.looking, _GROWN * self.state),
            "evaluate": self.flowing + self.evaluating,
        }
        return {name: int(size) for name, size in found.items()}

    def seconds(self, m: Machine) -> dict[str, float]:
        """Seconds of the whole run by stage."""
        f, c, each = self.config.flow, self.config.clusters, self.surface.points_a_cut
        charts = 1 if self.config.points.chart == "all" else self.surface.chart_count
        lines = (self.rows + self.unseen) / each * charts
        batch = min(c.batch, self.train)
        batches = ceil(ceil(self.train / c.batch) / self.ranks)
        pairs = batches * batch**2 / 2 + self.rows * batch / 4 if c.count > 1 else 0
        return {
            "sample": m.start + lines * m.line,
            "cluster": pairs * m.pair,
            "build": self.built(m),
            "flow": f.steps * sum(self.step(m).values()),
            "save": self.saves * self.state * m.written,
            "evaluate": self.evaluated(m),
        }

    def _share(self, total: int, unit: int) -> int:
        """Rows of the heaviest rank, in whole units."""
        rows = ceil(ceil(total / unit) / self.ranks) * unit
        return rows if self.filled else min(total, rows)

    @property
    def _constant(self) -> float:
        """What rank 0 keeps for all states."""
        return (self.train + self.test) * (16 * self.coordinates + 34 + self.metric)

    @property
    def _sampling(self) -> float:
        """Room for all points of the rank, and lines that are solved; or the points, sent and received."""
        solved = _SOLVED if self.config.points.chart == "all" else _ACCEPTED
        most = max(self.rows, self.unseen)
        each = self.surface.points_a_cut
        room = (most + self.surface.cuts * each) * (16 * self.coordinates + 18)
        return room + max(_TOGETHER * each * solved, 2 * self.point * most)

    @property
    def _clustering(self) -> float:
        """What the linkage takes for a mini-batch."""
        c = self.config.clusters
        return 0 if c.count == 1 or c.merge.at_once else c.linkage.bytes(min(c.batch, self.train))


def changed(config: Config, keys: dict) -> Config:
    """A run file with other values of some section.keys, taken as valid."""
    for key, value in keys.items():
        section, name = key.split(".")
        config = config.model_copy(update={section: getattr(config, section).model_copy(update={name: value})})
    return config
