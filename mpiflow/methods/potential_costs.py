"""What a flow of Kaehler potentials takes: its engine, what would take less, and seconds of each stage."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain
from mpiflow.job.evaluate import DEFECT_POINTS
from mpiflow.kernels.costs import Work
from mpiflow.methods.potential_bytes import Bytes
from mpiflow.methods.potentials import features
from mpiflow.plan import points as of_points
from mpiflow.plan.costs import COLLECTIVES, changed
from mpiflow.plan.stopwatch import best
from mpiflow.ranks.chunks import CHUNK

if TYPE_CHECKING:
    from mpiflow.plan.machine import Machine

#: Displaced points of each that the Kaehler defect is evaluated at, for each real direction.
_DISPLACED = 4


class Costs(Bytes):
    """Of one run: its engine in words, and seconds by products with features, chunk by chunk."""

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
    def _normal(self) -> Work:
        """The normal matrix over all own points, with the traces, and its factor."""
        p, sweep = self.space.features, self.space.sweep
        return Work(flops=self.rows * (4 * sweep.flops + p**2) + p**3 / 3, read=self.rows * 4 * sweep.read)

    @property
    def _spectrum(self) -> Work:
        """Two matrices over all own points, from jets that become complex and tangent, and their eigenvalues."""
        p, d = self.space.features, self.dimension
        return Work(flops=self.rows * p**2 * (4 * d + 2) + 20 * p**3, products=self.rows * p * ((1 + d) ** 2 + 2 * d))


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
