"""What a flow on a grid takes: bytes and seconds out of the transforms and fields that its space counts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import ceil, log2, prod
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.grids import Space, pairs
from mpiflow.methods import grid
from mpiflow.plan import costs
from mpiflow.plan.costs import changed
from mpiflow.plan.stopwatch import best

if TYPE_CHECKING:
    from mpiflow.plan.machine import Machine

#: Seconds of a transform a grid point, with what is computed beside it; of a call, where the grid is small.
_POINT, _CALL = 2.3e-8, 5e-5
#: What a velocity takes of its transforms alone (measured: 1.9 to 2.4).
_BESIDE = 2.1
#: Velocities of a step; metrics that it holds beside u; what a look takes of a velocity.
_STAGES, _STEP, _LOOK = 4, 4, 1.1
#: Seconds of a pair of grid points that is summed over, and tiles of them that a formula of their kernel holds.
_PAIR, _TILES = 4e-8, 2.6
#: Fields of wave numbers and their squares.
_WAVES = 2
#: Spectra on their way between ranks: put together, received, and joined.
_SENT = 3
#: Bytes of a file beside its metric; how much larger it is made in memory.
_FILE, _GROWN = 60_000, 1.125
#: Grid points up to which a start is made to see what a flow refuses; larger ones are made on all ranks.
_FEW = 1 << 18
#: Points of a side below which a grid is none.
_COARSE = 8
#: A side of the grid that is timed.
_TIMED = 64


class Costs(costs.Costs):
    """The fields of a velocity on the slab of a rank, or on the whole grid, and the metric of a state on rank 0."""

    mode = "spectral"

    def __init__(self, config: Config, ranks: int):
        super().__init__(config, ranks)
        space: Space = self.surface
        self.points = prod(space.shape)
        #: Grid points of the heaviest rank.
        self.shared = space.sliced and not self.config.kernel.field.entire
        self.own = ceil(space.shape[0] / ranks) * prod(space.shape[1:]) if self.shared else self.points
        self.metric = 8 * space.components * self.points

    def start(self) -> None:
        """Raises InputError for what the run refuses by its start, where that is made at once."""
        if self.points <= _FEW:
            grid.flow(self.config, self.surface, Comm(), {})

    @property
    def key(self) -> str:
        """The key that makes the run as large as it is, with its value."""
        return f"manifold.points = {self.surface.shape[0]}"

    def changes(self) -> Iterator[tuple[str, Config, int]]:
        """More ranks, where each has a slab; or a coarser grid."""
        if self.shared:
            yield from super().changes()
        side = self.surface.shape[0]
        for points in (side * 3 // 4, *(side // 2**k for k in range(1, 6))):
            if points >= _COARSE:
                yield f"manifold.points = {points}", changed(self.config, {"manifold.points": points}), self.ranks

    @property
    def state(self) -> int:
        """Bytes of a state file."""
        return _FILE + self.metric

    @property
    def flowing(self) -> int:
        """The metric of the own rows."""
        return 8 * self.surface.components * self.own

    def bytes(self) -> dict[str, int]:
        """Bytes of rank 0 by stage, beyond the interpreter and its libraries."""
        space, sent, k = self.surface, _SENT * self._cut, self.config.kernel
        # A step, with what its stages keep; a look takes less.
        fields = _WAVES + space.fields + k.flowed.effort[1] + sent
        # What stands beside the Gaussian is made with the flow, of a class from a start of its own, and kept.
        kept = k.flowed.effort[1] - k.field.effort[1]
        made = kept + (space.components / 2 if k.beside else 0)
        tiles = 8 * _TILES * prod(pairs.tile(space)) if self._pairs else 0
        found = {
            "build": 8 * (_WAVES + space.starting + made) * self.own + tiles,
            "flow": (1 + _STEP) * self.flowing + 8 * fields * self.own + tiles,
            "save": 8 * kept * self.own + self.flowing + self.metric + _GROWN * self.state,
        }
        return {name: int(size) for name, size in found.items()}

    def seconds(self, m: Machine) -> dict[str, float]:
        """Seconds of the whole run by stage."""
        f = self.config.flow
        looks = 1 + ceil(f.steps / f.test_every)
        return {
            "build": self._velocity(m),
            "flow": f.steps * sum(self.step(m).values()),
            "test": looks * _LOOK * self._velocity(m),
            "save": self.saves * self.state * m.written,
        }

    def step(self, m: Machine, look: bool = False) -> dict[str, float]:
        """One step, by part."""
        calls = _STAGES * self.surface.transforms * self._cut
        found = {
            "transforms": _STAGES * self.config.kernel.flowed.effort[0] * self._velocity(m),
            "exchange": calls * (16 * self.own * m.byte + m.latency * log2(max(2, self.ranks))),
        }
        return found | ({"pairs": _STAGES * self._pairs * m.units.get("pair", _PAIR)} if self._pairs else {})

    @property
    def _pairs(self) -> int:
        """Pairs of grid points that a velocity of this rank sums over."""
        return self.config.kernel.flowed.pairs(self.surface) * self.own // self.points

    @property
    def _cut(self) -> bool:
        """Whether rows change their rank within a transform."""
        return self.ranks > 1 and self.surface.sliced

    def _velocity(self, m: Machine) -> float:
        each = m.units.get("transform", _POINT) * self.own + m.units.get("call", _CALL)
        return self.surface.transforms * each


def timed(config: Config, space: Space) -> dict[str, dict[str, float]]:
    """Seconds of a transform there and back, a grid point, and of a call; of a pair of points where they are summed over."""
    side = min(_TIMED, space.shape[0])
    small, large = (np.ones((n,) * len(space.shape)) for n in (8, side))
    there = partial(fft.rfftn, workers=1)
    call = best(lambda: fft.irfftn(there(small), small.shape)) / 2
    each = _BESIDE * best(lambda: fft.irfftn(there(large), large.shape)) / 2 / large.size
    units = {"transform": each, "call": call}
    if config.kernel.flowed.pairs(space):
        made = pairs.Pairs(space, config.kernel.width, config.kernel.beside.alpha)
        targets, sources = pairs.tile(space)
        units["pair"] = best(lambda: made.sum(np.arange(targets), np.ones(sources))) / (targets * sources)
    return {"units": units}
