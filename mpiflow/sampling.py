"""Points of X and their weights, each a function of (seed, stream, number) alone (theory 2)."""

from __future__ import annotations

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
    weight = fubini_study.norm2(z) ** (z.shape[1] - 1) / slope2.sum(1)
    return Points(z, chart, weight, 1 / slope2[np.arange(len(z)), chart[:, 1].astype(int)])


def chunk(surface: Hypersurface, seed: int, stream: int, number: int, chart: tuple[int, int] | None) -> Points:
    """All accepted points of one chunk of lines, in line order; chart = None accepts every chart."""
    draws = _generator(seed, stream, number).standard_normal((2, LINES, surface.degree, 2)).view(np.complex128)[..., 0]
    z, charts_of, slope2 = meet(surface, draws[0], draws[1])
    if chart is not None:
        accepted = (charts_of == np.asarray(chart)).all(1)
        z, charts_of, slope2 = z[accepted], charts_of[accepted], slope2[accepted]
    return _weighted(z, charts_of, slope2)


def sample(
    comm: Comm, surface: Hypersurface, total: int, seed: int, stream: int, chart: tuple[int, int] | None = None
) -> tuple[np.ndarray, Points]:
    """The first `total` accepted points of a stream, in line order, spread over the ranks.

    Returns the numbers (n_r,) int64 of this rank's points and the points. Which rank made a point changes nothing in it.
    Raises InputError where the chart seems to hold no point.
    """
    numbers, parts, found, done = [], [], 0, 0
    expected = LINES * surface.degree / (1 if chart is None else surface.degree * surface.ambient)
    while found < total:
        each = max(1, round((total - found) / expected / comm.size))
        mine = range(done + comm.rank * each, done + (comm.rank + 1) * each)
        fresh = [chunk(surface, seed, stream, number, chart) for number in mine]
        counts = np.concatenate(comm.allgather([len(part) for part in fresh]))
        starts = found + np.concatenate([[0], np.cumsum(counts)])
        numbers += [np.arange(len(p)) + starts[comm.rank * each + k] for k, p in enumerate(fresh)]
        parts += fresh
        found, done = int(starts[-1]), done + each * comm.size
        if found == 0 and done >= _PATIENCE:
            raise InputError(
                f"points.chart = {list(chart)}: none of {done * LINES * surface.degree} points of X lies in it; "
                'choose another chart or "all"'
            )
    number = np.concatenate(numbers)
    wanted = number < total
    return number[wanted], _stacked(parts).map(lambda rows: rows[wanted])


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


def _stacked(parts: list[Points]) -> Points:
    return Points(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Points)))
