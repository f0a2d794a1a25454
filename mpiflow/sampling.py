"""Points of X and their weights, each a function of (seed, stream, number) alone (theory 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry import charts, fubini_study
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.geometry.lines import meet

#: Lines of one chunk, the unit of random numbers: fixed for ever, since it decides which points a seed gives.
LINES = 2000
#: Disjoint streams of lines: no two purposes share a point.
TRAIN, TEST, EVALUATE, NOISE, BASIS = range(5)
#: Chunks without a single accepted point after which a chart counts as empty.
_PATIENCE = 50
# Lines solved at a time: few enough that their points stay in the cache until they are put away.
_BLOCK = 1000


@dataclass(frozen=True)
class Points:
    """Points of X with what the measures need; axis 0 is the point.

    z: (N, n+1) complex, patch-scaled. chart: (N, 2) int8, (i, j). weight: (N,) float64, |Omega|^2 / det g_FS, so that
    averages with it are averages over Omega ^ Omegabar. omega2: (N,) float64, |Omega|^2.
    """

    z: np.ndarray
    chart: np.ndarray
    weight: np.ndarray
    omega2: np.ndarray

    def __len__(self) -> int:
        return len(self.z)

    def map(self, change) -> Points:
        """The same change applied to every column: `points.map(lambda rows: rows[order])`."""
        return Points(*(change(getattr(self, field.name)) for field in fields(self)))


def described(surface: Hypersurface, z: np.ndarray, chart: np.ndarray | None = None) -> Points:
    """Points with chart (the best one, where none is given), weight and |Omega|^2 from their coordinates alone."""
    chart = charts.chart_of(surface, z) if chart is None else chart
    gradient = surface.gradient(z)
    return _weighted(z, chart, gradient.real**2 + gradient.imag**2)


def _weighted(z: np.ndarray, chart: np.ndarray, slope2: np.ndarray) -> Points:
    """slope2: (N, n+1) float64, |dQ/dz_i|^2. The weight's closed form needs no chart and no determinant."""
    reals = np.ascontiguousarray(z).view(np.float64)
    # Sums along short rows: einsum takes a third of the time of sum.
    weight = np.einsum("ij,ij->i", reals, reals) ** (z.shape[1] - 1) / np.einsum("ij->i", slope2)
    return Points(z, chart, weight, 1 / slope2[np.arange(len(z)), chart[:, 1].astype(int)])


def chunk(surface: Hypersurface, seed: int, stream: int, number: int, chart: tuple[int, int] | None) -> Points:
    """All accepted points of one chunk of lines, in line order; chart = None accepts every chart."""
    rows = Rows(LINES * surface.degree)
    for block in _blocks(surface, seed, stream, number, chart):
        rows.add(block)
    return rows.points


def _blocks(
    surface: Hypersurface, seed: int, stream: int, number: int, chart: tuple[int, int] | None
) -> Iterator[Points]:
    draws = _generator(seed, stream, number).standard_normal((2, LINES, surface.degree, 2)).view(np.complex128)[..., 0]
    for start in range(0, LINES, _BLOCK):
        z, charts_of, slope2 = meet(surface, *draws[:, start : start + _BLOCK], chart)
        yield _weighted(z, charts_of, slope2)


def sample(
    comm: Comm, surface: Hypersurface, total: int, seed: int, stream: int, chart: tuple[int, int] | None = None
) -> tuple[np.ndarray, Points]:
    """The first `total` accepted points of a stream, in line order, spread over the ranks.

    Returns the numbers (n_r,) int64 of this rank's points and the points. Which rank made a point changes nothing.
    Raises InputError where the chart seems to hold no point.
    """
    rows = Rows(total // comm.size + LINES * surface.degree)
    numbers, found, done = [], 0, 0
    expected = LINES * surface.degree / (1 if chart is None else surface.degree * surface.ambient)
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
                f"points.chart = {list(chart)}: none of {done * LINES * surface.degree} points of X lies in it; "
                'choose another chart or "all"'
            )
    number = np.concatenate(numbers)
    own = int(np.searchsorted(number, total))
    return number[:own], rows.points.map(lambda column: column[:own])


def noisy(
    surface: Hypersurface, number: np.ndarray, points: Points, seed: int, stream: int, scale: float, project: bool
) -> Points:
    """Points displaced by complex Gaussian noise in their affine coordinates (HR 3.2.4), chart kept.

    number: (N,) int64, the points' numbers in their stream. scale: standard deviation of each complex coordinate.
    project: Newton's method along the gradient brings the point back onto X; otherwise it lies off X by about `scale`.
    """
    z = points.z.copy()
    rows, i = np.arange(len(z)), points.chart[:, 0].astype(int)
    draws = np.stack([_generator(seed, 16 * NOISE + stream, n).standard_normal(2 * z.shape[1]) for n in number])
    z += scale * np.sqrt(0.5) * draws.reshape(len(z), -1, 2).view(np.complex128)[..., 0]
    z[rows, i] = 1.0
    for _ in range(20 if project else 0):
        slope = surface.gradient(z).conj()
        slope[rows, i] = 0.0
        z -= (surface.value(z) / fubini_study.norm2(slope))[:, None] * slope
    return described(surface, z, points.chart)


def _generator(seed: int, stream: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, (stream << 48) | int(number)]))


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
