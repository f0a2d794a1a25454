"""What a flow of Kaehler potentials takes: bytes and seconds out of what its features say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import log2, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain
from mpiflow.job.evaluate import DEFECT_POINTS
from mpiflow.kernels.costs import Costs as Space
from mpiflow.kernels.costs import Work
from mpiflow.kernels.jets import triangle
from mpiflow.methods.potentials import features
from mpiflow.plan import costs
from mpiflow.plan import points as of_points
from mpiflow.plan.costs import COLLECTIVES, changed
from mpiflow.plan.stopwatch import best
from mpiflow.preconditioners.natural import INNER
from mpiflow.ranks.chunks import CHUNK
from mpiflow.ranks.shards import TILE

if TYPE_CHECKING:
    from mpiflow.plan.machine import Machine

#: Displaced points of each that the Kaehler defect is evaluated at, for each real direction.
_DISPLACED = 4


class Costs(costs.PointCosts):
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

    @property
    def mode(self) -> str:
        """The engine in words."""
        return "low-rank, resident" if self._kept(self.rows) else "low-rank, prepared anew at each use"

    def refuse(self) -> None:
        """Raises InputError for fewer points than features without a ridge."""
        kernel, number = self.config.kernel, self.space.features
        if (
            self.config.search.solves
            and kernel.preconditioner.factorises
            and kernel.ridge == 0
            and self.train <= number
        ):
            raise InputError(
                f"points.train = {self.train}: no more than the {number} features of kernel.degree; take 3 times as many "
                "points, a lower degree, or kernel.ridge > 0"
            )

    @property
    def key(self) -> str:
        """The keys that make the run as large as it is, with their values."""
        return f"{super().key}, kernel.degree = {self.config.kernel.degree}"

    def changes(self) -> Iterator[tuple[str, Config, int]]:
        """Less to keep, a lower degree, or what makes any run smaller."""
        memory, degree = self.config.engine.memory / 4, self.config.kernel.degree
        yield f"engine.memory = {memory:g}", changed(self.config, {"engine.memory": memory}), self.ranks
        for lower in (degree * 3 // 4, degree // 2):
            if lower > 1:
                yield f"kernel.degree = {lower}", changed(self.config, {"kernel.degree": lower}), self.ranks
        yield from super().changes()

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

    def step(self, m: Machine, look: bool = True) -> dict[str, float]:
        """One step of the flow with its look at the unseen points, by part."""
        unseen, inner = self.unseen * look, 2 * self._iterations
        sweeps = 2 + inner
        made = 0 if self._kept(self.rows) else (2 if self._inner(self.rows) else sweeps) * self.rows
        made += 0 if self._kept(self.unseen) else unseen
        sent = (COLLECTIVES + sweeps) * m.latency * log2(self.ranks) + sweeps * 8 * self.space.features * m.byte
        return {
            # Single precision takes half the time.
            "contract": ((2 + inner / (1 + self.single)) * self.rows + unseen) * m.takes(self.space.sweep),
            "prepare": made * m.takes(self.space.prepare),
            "losses": (2 * self.rows + unseen) * m.point / 2,
            "spectrum": m.takes(self._spectrum) * self._apart,
            "allreduce": sent if self.ranks > 1 else 0.0,
        }

    def built(self, m: Machine) -> float:
        """The choice on rank 0 while the others wait, what is prepared, and each normal matrix."""
        steps, every = self.config.flow.steps, self.config.kernel.refreeze
        frozen = self.factorised * (1 + (steps // every if every else 0))
        rows = self.rows + self.unseen
        return m.takes(self.space.making) + rows * m.takes(self.space.prepare) + frozen * m.takes(self._normal)

    def evaluated(self, m: Machine) -> float:
        """Metrics of all points, and of the displaced ones of the Kaehler defect."""
        few = min(DEFECT_POINTS, self.rows) + min(DEFECT_POINTS, self.unseen)
        rows = self.rows + self.unseen + few * _DISPLACED * 2 * self.dimension
        return rows * (m.takes(self.space.prepare) + m.point)

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

    @cached_property
    def _normal(self) -> Work:
        """The normal matrix over all own points, with the traces, and its factor."""
        p, sweep = self.space.features, self.space.sweep
        return Work(flops=self.rows * (4 * sweep.flops + p**2) + p**3 / 3, read=self.rows * 4 * sweep.read)

    @property
    def _spectrum(self) -> Work:
        """Two matrices over all own points, from jets that become complex and tangent, and their eigenvalues."""
        p, d = self.space.features, self.dimension
        return Work(flops=self.rows * p**2 * (4 * d + 2) + 20 * p**3, products=self.rows * p * ((1 + d) ** 2 + 2 * d))

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


def timed(config: Config, surface: Domain) -> dict[str, float]:
    """Seconds of each unit of work, on this machine: one chunk of points under features of the run, of a low degree."""
    kernel, whole = config.kernel, not config.kernel.potential.linear
    matrix = np.ones((CHUNK, CHUNK))
    found = {"flop": best(lambda: matrix @ matrix) / (2 * CHUNK**3)}
    degree = min(kernel.degree, 6 if kernel.features.kind.costs(surface, 2).iterations else 16)
    space = kernel.features.kind.costs(surface, degree, whole)
    basis = features(Comm(), surface, degree, kernel.features)
    p = sampling.chunk(surface, 1, sampling.EVALUATE, 0, None).map(lambda rows: rows[:CHUNK])
    there, v = surface.frame(p.z, p.chart), np.ones((CHUNK, (surface.dimension + whole) ** 2))
    prepared, loaded = basis.prepare(there, whole), basis.load(np.zeros(len(basis)))
    sweep = (best(lambda: basis.adjoint(prepared, v)) + best(lambda: basis.contract(prepared, loaded, whole=whole))) / (
        2 * CHUNK
    )
    if space.sweep.read:
        found["read"] = max(sweep - space.sweep.flops * found["flop"], 0.1 * sweep) / space.sweep.read
    else:
        # Narrow products take longer for each of their operations.
        found["flop"] = sweep / space.sweep.flops
    takes = best(lambda: basis.prepare(there, whole)) / CHUNK
    found["product"] = max(takes - space.prepare.flops * found["flop"], 0.1 * takes) / space.prepare.products
    return of_points.timed(config, surface) | found
