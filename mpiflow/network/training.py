"""Mini-batches of an epoch and their steps, Adam's or plain ones, data-parallel with the same bits on any number of ranks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mpiflow import streams
from mpiflow.comm import Comm
from mpiflow.network import objective
from mpiflow.network.objective import Objective
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import split

#: Points of a chunk, the unit in which ranks share a mini-batch: a batch of fewer chunks than ranks leaves some idle.
CHUNK = 64

_ADAM = optax.scale_by_adam()


@dataclass(frozen=True)
class Progress:
    """All that training goes on from: parameters (P,), Adam's moments (P,) each, and its count of mini-batches."""

    theta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    count: int

    @classmethod
    def begin(cls, theta: np.ndarray) -> Progress:
        """Before the first mini-batch."""
        return cls(theta, np.zeros_like(theta), np.zeros_like(theta), 0)


class Training:
    """Epochs over the points whose numbers `rows` this rank owns, out of `total`.

    columns: name -> (n_r, ...) of the own points, as `objective.chunk` takes them. Collective.
    """

    def __init__(
        self,
        comm: Comm,
        goal: Objective,
        columns: dict[str, np.ndarray],
        rows: np.ndarray,
        total: int,
        seed: int,
        batch: int,
    ):
        self.comm, self.goal, self.columns, self.rows = comm, goal, columns, rows
        self.total, self.seed, self.batch = total, seed, batch

    def epoch(self, number: int, progress: Progress, rate: float, plain: bool = False) -> Progress:
        """One pass over all points in the order of (seed, number), one step for each mini-batch: of Adam, or plain descent."""
        cuts = _cuts(self.total, self.batch)
        mine = [
            chunks[s.start : s.stop] for chunks in cuts for s in [split(len(chunks), self.comm.size, self.comm.rank)]
        ]
        place = order(self.seed, number, self.total)
        wanted = np.concatenate([place[c] for chunks in mine for c in chunks] + [np.zeros(0, np.int64)])
        exchange = Exchange(self.comm, self.rows, wanted)
        dealt = _Dealt({name: exchange(column) for name, column in self.columns.items()})
        for chunks, own in zip(cuts, mine, strict=True):
            points = chunks[-1].stop - chunks[0].start
            gradient = self._sum(progress.theta, own, dealt) / points
            progress = (_descended if plain else _stepped)(progress, gradient[:-1], rate)
        return progress

    def _sum(self, theta: np.ndarray, own: list[slice], dealt: _Dealt) -> np.ndarray:
        partials = np.zeros((len(own), len(theta) + 1), theta.dtype)
        # To the device once for all chunks.
        theta = jnp.asarray(theta)
        for place, cut in enumerate(own):
            partials[place] = objective.chunk(self.goal, theta, dealt.next(cut.stop - cut.start))
        return self.comm.sum(np.array([cut.start for cut in own], np.int64), partials)


def order(seed: int, epoch: int, total: int) -> np.ndarray:
    """The order in which an epoch takes the points: (total,) int64."""
    return streams.generator(seed, streams.ORDER, epoch).permutation(total)


class _Dealt:
    """Columns handed out chunk by chunk, the last rows repeated up to CHUNK with weight 0."""

    def __init__(self, columns: dict[str, np.ndarray]):
        self.columns, self.place = columns, 0

    def next(self, count: int) -> dict[str, np.ndarray]:
        take = self.place + np.minimum(np.arange(CHUNK), count - 1)
        self.place += count
        cut = {name: column[take] for name, column in self.columns.items()}
        cut["weight"][count:] = 0
        return cut


def _cuts(total: int, batch: int) -> list[list[slice]]:
    """Places in the order of an epoch: the chunks of each mini-batch."""
    ends = [(start, min(start + batch, total)) for start in range(0, total, batch)]
    return [[slice(s, min(s + CHUNK, stop)) for s in range(start, stop, CHUNK)] for start, stop in ends]


def _descended(progress: Progress, gradient: np.ndarray, rate: float) -> Progress:
    """theta - rate slope, with nothing remembered."""
    theta = progress.theta - progress.theta.dtype.type(rate) * gradient
    return replace(progress, theta=theta, count=progress.count + 1)


def _stepped(progress: Progress, gradient: np.ndarray, rate: float) -> Progress:
    found = _adam(progress.theta, progress.mean, progress.variance, progress.count, gradient, rate)
    return Progress(*(np.asarray(array) for array in found), progress.count + 1)


@partial(jax.jit)
def _adam(theta, mean, variance, count, gradient, rate):
    state = optax.ScaleByAdamState(count=jnp.asarray(count, jnp.int32), mu=mean, nu=variance)
    update, state = _ADAM.update(gradient, state)
    return theta - jnp.asarray(rate, theta.dtype) * update, state.mu, state.nu
