"""The sizes of a run, from its run file and the number of ranks alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import engine, sampling
from mpiflow.config import Config
from mpiflow.ranks.shards import TILE

_GIB = 2**30


@dataclass(frozen=True)
class Shape:
    """Sizes of the heaviest rank.

    rows, unseen: its train and test rows; sources: those that one row feels; entries: of the kernel on all ranks, train
    rows alone; numbers: floats that stand for a point in a kernel tile; kept: share of the entries within the cut-off.
    """

    ranks: int
    train: int
    test: int
    rows: int
    unseen: int
    sources: int
    coordinates: int
    dimension: int
    numbers: int
    itemsize: int
    mode: str
    kept: float

    @property
    def entries(self) -> int:
        return self.train * self.sources

    @property
    def metric(self) -> int:
        """Bytes of one metric, (d, d) complex128."""
        return 16 * self.dimension**2


def shape(config: Config, ranks: int) -> Shape:
    """The shape of a run. Clusters are taken as equally large, which they are within a factor of two."""
    p, f = config.points, config.flow
    kernel, kept = config.kernel, 1.0
    if kernel.sparse:
        surface = config.surface()
        z = surface.embedded(sampling.chunk(surface, config.run.seed, sampling.TRAIN, 0, _chart(config)).z)
        kept = engine.kept_fraction(kernel, z, config.run.precision)
    sources = p.train if f.coupling == "all" else -(-p.train // config.clusters.count)
    mode = engine.choose(
        kernel,
        p.train,
        sources,
        mode=config.engine.mode,
        precision=config.run.precision,
        budget=int(config.engine.memory * _GIB),
        kept=kept,
        square=config.square,
    )
    coordinates = config.manifold.coordinates
    return Shape(
        ranks=ranks,
        train=p.train,
        test=p.test,
        rows=_share(p.train, ranks),
        unseen=_share(p.test, ranks),
        sources=sources,
        coordinates=coordinates,
        dimension=config.manifold.dimension,
        numbers=kernel.numbers(coordinates),
        itemsize=np.dtype(config.run.precision).itemsize,
        mode=mode,
        kept=kept,
    )


def _chart(config: Config) -> tuple[int, ...] | None:
    return None if config.points.chart == "all" else config.points.chart


def _share(total: int, ranks: int) -> int:
    """Rows of the heaviest rank: whole tiles."""
    tiles = -(-total // TILE)
    return min(total, -(-tiles // ranks) * TILE)
