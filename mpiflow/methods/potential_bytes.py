"""Bytes of a flow of Kaehler potentials, stage by stage, out of what its features say of themselves."""

from __future__ import annotations

from functools import cached_property
from math import log2, sqrt

from mpiflow.config import Config
from mpiflow.job.evaluate import DEFECT_POINTS
from mpiflow.kernels.costs import Costs as Space
from mpiflow.kernels.jets import triangle
from mpiflow.plan import costs
from mpiflow.preconditioners.natural import INNER
from mpiflow.ranks.chunks import CHUNK
from mpiflow.ranks.shards import TILE


class Bytes(costs.PointCosts):
    """Frames and prepared features of the points, the potential's metric, and, where it is factorised, the normal matrix."""

    unit = CHUNK
    filled = True

    def __init__(self, config: Config, ranks: int):
        super().__init__(config, ranks)
        self.whole = not config.kernel.potential.linear or "jets" in config.flow.loss.asks
        self.single = config.run.inner == "float32"
        self.space = config.kernel.features.kind.costs(config.surface(), config.kernel.degree, self.whole)
        self.factorised = not self.space.iterations and config.search.solves and config.kernel.preconditioner.factorises
        n, d = self.coordinates, self.dimension
        #: Normal coordinates of one point: z, vectors, bend, and the way back to the chart.
        self.frame = 16 * (n * (1 + d + d**2) + d**2)

    def engine(self, rows: int) -> int:
        """What is prepared of so many rows, where it is kept between steps."""
        return rows * self.space.kept * self._kept(rows) + self._inner(rows)

    @property
    def held(self) -> float:
        """Frames, what is prepared, g and its losses, the factor."""
        rows = self.rows + self.unseen
        engines = self.engine(self.rows) + self.engine(self.unseen) + self._beside + self._second
        return rows * self.frame + engines + self._state + self._matrices(1)

    @property
    def late(self) -> float:
        """What is kept in single precision, and what a preconditioner keeps for itself."""
        return self._inner(self.rows) + self._beside

    @property
    def building(self) -> float:
        """Choosing the features, preparing the last chunk, or adding up the normal matrix of all."""
        prepared = (self.rows + CHUNK) * self.frame + self.engine(self.rows) - self._inner(self.rows)
        made = prepared + max(self._preparing(CHUNK), self._second + CHUNK * self.space.bending * bool(self._bent))
        return max(self.space.made, made, prepared + self._second + (self._state + self._summing) * self.factorised)

    @property
    def stepping(self) -> float:
        """A trial's metric, its inverse, and a chunk of frames on its way; with what is prepared anew."""
        # What is kept in single precision is prepared in the first step.
        prepared = self._preparing(CHUNK) if self.single or not self._kept(self.rows) else 0
        # The jets of a trial.
        jets = self.rows * 8 * (self.dimension + self.whole) ** 2
        chunk = CHUNK * (self.frame + 600 + self.space.sweeping) + prepared
        vectors = 8 * 6 * self.space.features + self._moments + self._spectral
        trial = jets + self.metric * max(3.25 * self.rows, 1.75 * self.rows + chunk / self.metric)
        anew = self._summing * self.factorised * bool(self.config.kernel.refreeze)
        return vectors + max(trial, anew) + self._curving

    @property
    def looking(self) -> float:
        """The metric of the unseen points, tile by tile."""
        tile = 0 if self._kept(self.unseen) else self._preparing(TILE)
        return self.unseen * self.metric + tile + TILE * (8 * self.metric + self.space.sweeping)

    @property
    def evaluating(self) -> float:
        """A metric with the frames of its points, or those of the Kaehler defect with its displaced points."""
        most, few = max(self.rows, self.unseen), min(DEFECT_POINTS, max(self.train, self.test))
        displaced = few * 16 * self.dimension * 3 * self.coordinates
        return (
            max(most, few + displaced / (self.frame + self.metric)) * (self.frame + self.metric)
            + self.space.preparing * TILE
        )

    @property
    def own(self) -> float:
        """Coefficients, and what the features are known by."""
        return 16 * self.space.features + self.space.state

    @cached_property
    def _values(self) -> Space:
        """The features with their first derivatives, where a preconditioner keeps them for itself."""
        kernel = self.config.kernel
        return kernel.features.kind.costs(self.surface, kernel.degree, True)

    @property
    def _apart(self) -> bool:
        return self.config.search.solves and self.config.kernel.preconditioner.beside

    @property
    def _beside(self) -> float:
        """Bytes of what a preconditioner keeps for itself."""
        size = self.rows * self._values.kept if self._apart else 0
        return size if size <= self.budget else 0

    @property
    def _spectral(self) -> float:
        """Bytes while its two matrices are added up: a chunk of jets and of tangents, as complex numbers."""
        p, d = self.space.features, self.dimension
        return (CHUNK * p * 16 * ((1 + d) ** 2 + 4 * d) + 2 * self._matrices(3 + self._levels)) * self._apart

    @property
    def _bent(self) -> int:
        """Numbers of a feature's second derivatives, lower triangles, where a functional or a preconditioner asks for them."""
        return triangle(self.dimension, 2) * (
            "second" in self.config.flow.loss.asks | self.config.kernel.preconditioner.asks
        )

    @property
    def _second(self) -> float:
        """Bytes of second derivatives of all features."""
        return self.rows * 16 * self.space.features * self._bent

    @property
    def _curving(self) -> float:
        """Bytes of a chunk of curvatures, with how a scalar one changes."""
        d = self.dimension
        return CHUNK * 16 * (8 * d**4 + 8 * self._bent) * bool(self._bent)

    @property
    def _summing(self) -> float:
        """Bytes while a normal matrix is added up."""
        return self._matrices(3 + self._levels) + CHUNK * 24 * self.space.features

    @property
    def _moments(self) -> float:
        """Bytes while the moments of sections are added up, from powers of a chunk's coordinates, and inverted."""
        moments, asked = self.space.moments, "balanced" in self.config.search.asks
        chunk = CHUNK * 16 * sqrt(moments / 8) * (self.coordinates + 3)
        return asked * max(moments * (8 + self._levels), moments * (2 + self._levels) + chunk)

    @property
    def _levels(self) -> float:
        """Of the tree in which chunks are added up."""
        return log2(max(2, self.rows / CHUNK))

    @property
    def _iterations(self) -> int:
        """Of conjugate gradients in a step."""
        most = getattr(self.config.search, "inner", None) or INNER * self.config.kernel.preconditioner.inverts
        return min(self.space.iterations, most)

    @property
    def _state(self) -> float:
        """Jets, g, eta and weight of the train points, and what is linear in them for conjugate gradients."""
        jet = 8 * (self.dimension + self.whole) ** 2
        return self.rows * (self.metric + jet + 24 + (jet + 8) * bool(self._iterations))

    def _matrices(self, count: float) -> float:
        """So many normal matrices, or vectors of as many numbers as features."""
        p = self.space.features + 2
        return 8 * p * (count * p if self.factorised else 8)

    def _preparing(self, rows: int) -> float:
        """Beyond what is kept of so many rows; what is not is let go when the next ones are there."""
        return rows * (self.space.preparing - self.space.kept * (1 if self._kept(self.rows) else -1))

    def _kept(self, rows: int) -> bool:
        return rows * self.space.kept <= self.budget - self._inner(rows)

    def _inner(self, rows: int) -> float:
        """What is kept in single precision for products within a step."""
        bytes = rows * self.space.kept / 2
        return bytes if self.single and rows == self.rows and bytes <= self.budget else 0
