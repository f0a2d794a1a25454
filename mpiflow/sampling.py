"""Points of X and their weights, each a function of (seed, stream, number) alone (theory 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from mpiflow import streams
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain, Points
from mpiflow.streams import BASIS, EVALUATE, TEST, TRAIN

__all__ = ["BASIS", "EVALUATE", "TEST", "TRAIN", "Points", "Rows", "chunk", "noisy", "sample"]

#: Chunks without a single accepted point after which a chart counts as empty.
_PATIENCE = 50


def chunk(surface: Domain, seed: int, stream: int, number: int, chart: tuple[int, ...] | None) -> Points:
    """All accepted points of one chunk of cuts, in their order; chart = None accepts every chart."""
    rows = Rows(surface.cuts * surface.points_a_cut)
    for block in _blocks(surface, seed, stream, number, chart):
        rows.add(block)
    return rows.points


def _blocks(surface: Domain, seed: int, stream: int, number: int, chart: tuple[int, ...] | None) -> Iterator[Points]:
    return surface.draw(streams.generator(seed, stream, number), surface.cuts, chart)


def sample(
    comm: Comm, surface: Domain, total: int, seed: int, stream: int, chart: tuple[int, ...] | None = None
) -> tuple[np.ndarray, Points]:
    """The first `total` accepted points of a stream, in line order, spread over the ranks.

    Returns the numbers (n_r,) int64 of this rank's points and the points. Which rank made a point changes nothing.
    Raises InputError where the chart seems to hold no point.
    """
    each_chunk = surface.cuts * surface.points_a_cut
    rows = Rows(total // comm.size + each_chunk)
    numbers, found, done = [], 0, 0
    expected = each_chunk / (1 if chart is None else surface.chart_count)
    while found < total:
        each = max(1, round((total - found) / expected / comm.size))
        mine = range(done + comm.rank * each, done + (comm.rank + 1) * each)
        fresh = [sum(map(rows.add, _blocks(surface, seed, stream, number, chart))) for number in mine]
        counts = np.concatenate(comm.allgather(fresh))
        starts = found + np.concatenate([[0], np.cumsum(counts)])
        numbers += [np.arange(count) + starts[comm.rank * each + k] for k, count in enumerate(fresh)]
        found, done = int(starts[-1]), done + each * comm.size
        if found == 0 and done >= _PATIENCE:
            raise InputError(
                f"points.chart = {list(chart)}: none of {done * each_chunk} points of X lies in it; "
                'choose another chart or "all"'
            )
    number = np.concatenate(numbers)
    own = int(np.searchsorted(number, total))
    return number[:own], rows.points.map(lambda column: column[:own])


def noisy(
    surface: Domain, number: np.ndarray, points: Points, seed: int, stream: int, scale: float, project: bool
) -> Points:
    """Points displaced by complex Gaussian noise in their affine coordinates (HR 3.2.4), chart kept.

    number: (N,) int64, the points' numbers in their stream. scale: standard deviation of each complex coordinate.
    project: they are brought back onto X along its normal; otherwise they lie off X by about `scale`.
    """
    width = points.z.shape[1]
    draws = np.array([streams.noise(seed, stream, n).standard_normal((width, 2)) for n in number])
    noise = scale * np.sqrt(0.5) * draws.reshape(len(number), width, 2).view(np.complex128)[..., 0]
    return surface.described(surface.shaken(points.z, points.chart, noise, project), points.chart)


class Rows:
    """Points put away as they come, into memory for `expected` of them and, when that is full, for twice as many."""

    def __init__(self, expected: int):
        self._columns, self._expected, self._count = None, expected, 0

    def add(self, points: Points) -> int:
        """Put points away; returns how many."""
        stop = self._count + len(points)
        if self._columns is None or stop > len(self._columns):
            self._grow(points, max(stop, 2 * self._count, self._expected))
        for field in fields(Points):
            getattr(self._columns, field.name)[self._count : stop] = getattr(points, field.name)
        self._count = stop
        return len(points)

    @property
    def points(self) -> Points:
        """All points so far."""
        return self._columns.map(lambda column: column[: self._count])

    def _grow(self, points: Points, size: int) -> None:
        before, self._columns = (
            self._columns,
            points.map(lambda column: np.empty((size, *column.shape[1:]), column.dtype)),
        )
        if before is not None:
            for field in fields(Points):
                getattr(self._columns, field.name)[: self._count] = getattr(before, field.name)[: self._count]
