"""The sizes of a Kaehler flow, from its run file and the number of ranks alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from mpiflow.config import Config
from mpiflow.flows.potentials import INNER
from mpiflow.kernels.sections import sections
from mpiflow.ranks.chunks import CHUNK
from mpiflow.ranks.shards import TILE

_GIB = 2**30


@dataclass(frozen=True)
class Shape:
    """Sizes of the heaviest rank.

    rows, unseen: its train rows in whole chunks, its test rows in whole tiles. features: P. sections: N_k of generic
    features, 0 for invariants. iterations: of conjugate gradients in a step, 0 for none. budget: bytes for what is
    prepared, of train and of test rows.
    """

    ranks: int
    train: int
    test: int
    rows: int
    unseen: int
    features: int
    sections: int
    iterations: int
    coordinates: int
    dimension: int
    budget: float

    @property
    def each(self) -> int:
        """Bytes of what is prepared of one point: Hessians of invariants, or sections and their derivatives."""
        d = self.dimension
        return 16 * self.sections * (1 + d) if self.sections else 8 * self.features * d**2

    @property
    def resident(self) -> bool:
        """Whether what is prepared of the train rows is kept."""
        return self.rows * self.each <= self.budget

    @property
    def watched(self) -> bool:
        """Whether what is prepared of the test rows is kept."""
        return self.unseen * self.each <= self.budget

    @property
    def mode(self) -> str:
        """The engine in words."""
        return "low-rank, resident" if self.resident else "low-rank, prepared anew at each use"

    @property
    def metric(self) -> int:
        """Bytes of one metric, (d, d) complex128."""
        return 16 * self.dimension**2


def shape(config: Config, ranks: int) -> Shape:
    """The shape of a run. Raises InputError for a hypersurface without the symmetry that is asked for."""
    surface, kernel, points = config.surface(), config.kernel, config.points
    size = len(sections(surface, kernel.degree).exponents) if kernel.features == "generic" else 0
    return Shape(
        ranks=ranks,
        train=points.train,
        test=points.test,
        rows=_share(points.train, CHUNK, ranks),
        unseen=_share(points.test, TILE, ranks),
        features=size**2 or surface.symmetry.count(kernel.degree),
        sections=size,
        iterations=_iterations(kernel.degree) if size and kernel.preconditioner == "natural" else 0,
        coordinates=surface.coordinates,
        dimension=surface.dimension,
        budget=config.engine.memory * _GIB,
    )


def _iterations(degree: int) -> int:
    """As many as runs were seen to take: 9, 19 and 34 at k = 2, 3 and 4; then up to the most that are allowed."""
    return min(10 * max(degree - 1, 1), INNER)


def _share(total: int, unit: int, ranks: int) -> int:
    """Rows of the heaviest rank, in whole units of which the last is filled up."""
    return ceil(ceil(total / unit) / ranks) * unit
