"""What a network takes: bytes and seconds out of its parameters, its points and its losses, both roughly (theory 8)."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.config import Config
from mpiflow.geometry.domain import Domain
from mpiflow.job.evaluate import DEFECT_POINTS
from mpiflow.plan import costs
from mpiflow.plan import points as of_points
from mpiflow.plan.costs import COLLECTIVES, changed
from mpiflow.plan.stopwatch import best
from mpiflow.ranks.shards import TILE

if TYPE_CHECKING:
    from mpiflow.plan.machine import Machine

#: Points that ranks share a mini-batch by (`network.training`), known here without JAX.
_CHUNK = 64
#: Copies of what passes a layer that a slope keeps; operations of a parameter and row, forth and back; how much longer they
#: take than those of one large product (measured).
_KEPT, _BOTH, _SMALL = 6, 6, 4
#: What compiling it takes: bytes, seconds (measured).
_COMPILED, _COMPILING = 80_000_000, 3.0


class Costs(costs.PointCosts):
    """Parameters with Adam's moments, and columns of all points."""

    def __init__(self, config: Config, ranks: int):
        super().__init__(config, ranks)
        n, d = config.network, self.dimension
        self.parameters = n.size(self.coordinates, d)
        self.itemsize = np.dtype(config.run.precision).itemsize
        #: Numbers of a point that pass the layers side by side: those of its derivatives too.
        self.jets = (1 + d) ** 2 if n.whole else 1 + 2 * d * (n.kaehler > 0) + (n.transition > 0)
        units = (n.ends(self.coordinates, d)[1] if n.apart else 1) * n.width * n.depth
        self.chunk = _CHUNK * self.jets * units * self.itemsize * _KEPT
        c = self.coordinates
        #: Bytes of a point for its metric, and for its losses too.
        self.columns = 16 * c * (1 + d) if n.whole else 16 * (c + d**2)
        more = 16 * (2 * c * d + d**3 + d**2) * (n.kaehler > 0) + 16 * (c + 3 * d**2) * (n.transition > 0)
        self.trained = (self.columns + more + 16) * self.itemsize // 8

    @property
    def mode(self) -> str:
        """The engine in words."""
        return "finite-network"

    @property
    def key(self) -> str:
        """The keys that make the run as large as it is, with their values."""
        return f"{super().key}, network.width = {self.config.network.width}"

    def changes(self) -> Iterator[tuple[str, Config, int]]:
        """A narrower network, or what makes any run smaller."""
        for width in (self.config.network.width // 2**k for k in range(1, 8)):
            if width:
                yield f"network.width = {width}", changed(self.config, {"network.width": width}), self.ranks
        yield from super().changes()

    def engine(self, rows: int) -> int:
        """Nothing is kept but columns."""
        return 0

    @property
    def held(self) -> float:
        """Columns of training, of the metric of train and unseen points, those metrics; parameters, moments, a slope; code."""
        each = self.rows * (self.trained + self.columns + self.metric) + self.unseen * (self.columns + self.metric)
        return each + 4 * self.itemsize * self.parameters + _COMPILED

    @property
    def building(self) -> float:
        """Columns on their way."""
        return self.held + self.rows * self.trained

    @property
    def stepping(self) -> float:
        """The points of an epoch in their order, slopes of the own chunks of a mini-batch, one chunk in the layers."""
        chunks = ceil(min(self.config.network.batch, self.train) / _CHUNK / self.ranks)
        return self.rows * self.trained + (chunks + 4) * self.parameters * self.itemsize + self.chunk

    @property
    def looking(self) -> float:
        """The metric of the unseen points, tile by tile."""
        return 2 * self.unseen * self.metric + self.chunk * TILE / _CHUNK

    @property
    def evaluating(self) -> float:
        """Columns of all points, or of the displaced ones of the Kaehler defect."""
        most, few = max(self.rows, self.unseen), min(DEFECT_POINTS, max(self.train, self.test))
        return (most + 4 * few) * (self.columns + 4 * self.metric) + self.chunk * TILE / _CHUNK

    @property
    def own(self) -> float:
        """Parameters and moments."""
        return 3 * self.itemsize * self.parameters

    def step(self, m: Machine, look: bool = True) -> dict[str, float]:
        """One epoch with its look at the train and unseen points, by part."""
        batches = ceil(self.train / self.config.network.batch)
        looked = self.rows + self.unseen * look
        sent = batches * (COLLECTIVES * m.latency + self.itemsize * self.parameters * m.byte) * log2(self.ranks)
        return {
            "train": self.rows * self.jets * _BOTH * self._point(m),
            "look": looked * (2 * self._point(m) * self._rows + m.point),
            "allreduce": sent if self.ranks > 1 else 0.0,
        }

    def built(self, m: Machine) -> float:
        """What is compiled once, and frames or g_FS of all points."""
        return _COMPILING + (self.rows + self.unseen) * 10 * m.point

    def evaluated(self, m: Machine) -> float:
        """Every point, and those that are displaced for the Kaehler defect."""
        displaced = 8 * self.dimension * min(DEFECT_POINTS, self.unseen) * 2
        return (self.rows + self.unseen + displaced) * (2 * self._point(m) * self._rows + 10 * m.point)

    @property
    def _rows(self) -> int:
        """Of a point, for its metric alone."""
        return (1 + self.dimension) ** 2 if self.config.network.whole else 1

    def _point(self, m: Machine) -> float:
        """Seconds of one operation with every parameter."""
        return self.parameters * m.flop * _SMALL


def timed(config: Config, surface: Domain) -> dict[str, float]:
    """Seconds of an operation of a large product, on this machine."""
    matrix = np.ones((512, 512))
    return of_points.timed(config, surface) | {"flop": best(lambda: matrix @ matrix) / (2 * 512**3)}
