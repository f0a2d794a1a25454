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
    kernel = config.kernel
    kept = _kept(config) if kernel.sparse else 1.0
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


#: Shares of pairs by what they depend on: a plan that looks for a cure asks for the same one a dozen times.
_shares: dict[tuple, float] = {}


def _kept(config: Config) -> float:
    """The share of pairs within the kernel's reach, on a sample of the train points."""
    chart, run = _chart(config), config.run
    key = (config.manifold.model_dump_json(), config.kernel, run.precision, run.seed, chart)
    if key not in _shares:
        surface = config.surface()
        z = surface.embedded(sampling.chunk(surface, run.seed, sampling.TRAIN, 0, chart).z)
        _shares[key] = engine.kept_fraction(config.kernel, z, run.precision)
    return _shares[key]


def _chart(config: Config) -> tuple[int, ...] | None:
    return None if config.points.chart == "all" else config.points.chart


def _share(total: int, ranks: int) -> int:
    """Rows of the heaviest rank: whole tiles."""
    tiles = -(-total // TILE)
    return min(total, -(-tiles // ranks) * TILE)
