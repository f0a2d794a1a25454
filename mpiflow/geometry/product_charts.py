"""Charts of a complete intersection in a product of projective spaces (theory 1).

A chart is a row of r + p integers: of each factor the coordinate that is scaled to one, then the p coordinates, ascending,
that the equations eliminate. Coordinates are numbered through all factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, prod
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.errors import NumericalError
from mpiflow.geometry import charts

if TYPE_CHECKING:
    from mpiflow.geometry.intersection import Intersection


def scaled(surface: Intersection, z: np.ndarray) -> np.ndarray:
    """Points scaled so that in each factor the coordinate of largest modulus is 1. Raises InputError where one is zero."""
    return np.concatenate([charts.scaled(z[:, part]) for part in surface.parts], axis=1)


def chart_of(surface: Intersection, z: np.ndarray) -> np.ndarray:
    """Best-conditioned chart of each point: the largest coordinate of each factor is one: (N, C) to (N, r + p) int8."""
    largest = [part.start + np.abs(z[:, part]).argmax(1) for part in surface.parts]
    return _steepest(surface, z, np.stack(largest, axis=1))


def second_chart_of(surface: Intersection, z: np.ndarray) -> np.ndarray:
    """The best chart where in each factor the second largest coordinate is one: (N, C) to (N, r + p) int8."""
    second = [part.start + np.argsort(np.abs(z[:, part]), axis=1)[:, -2] for part in surface.parts]
    return _steepest(surface, z, np.stack(second, axis=1))


def _steepest(surface: Intersection, z: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Eliminated are the columns of dQ that are most independent: the largest one, then the largest beside it, ..."""
    rows, slopes, found = np.arange(len(z)), surface.slopes(z), []
    for _ in surface.equations:
        size = (slopes.real**2 + slopes.imag**2).sum(1)
        size[rows[:, None], np.stack(found, axis=1) if found else fixed] = -1.0
        size[rows[:, None], fixed] = -1.0
        found.append(size.argmax(1))
        column = slopes[rows, :, found[-1]]
        unit = column / np.linalg.norm(column, axis=1)[:, None]
        slopes = slopes - unit[:, :, None] * np.einsum("xp,xpc->xc", unit.conj(), slopes)[:, None]
    return np.concatenate([fixed, np.sort(np.stack(found, axis=1), axis=1)], axis=1).astype(np.int8)


def one_by_one(surface: Intersection, z: np.ndarray) -> np.ndarray:
    """As `chart_of`, but eliminated is, for one equation after the other, the coordinate of its largest slope that is left."""
    largest = [part.start + np.abs(z[:, part]).argmax(1) for part in surface.parts]
    fixed, found = np.stack(largest, axis=1), []
    size = np.abs(surface.slopes(z))
    np.put_along_axis(size, fixed[:, None], -1.0, axis=2)
    for each in range(len(surface.equations)):
        found.append(size[:, each].argmax(1))
        np.put_along_axis(size, found[-1][:, None, None], -1.0, axis=2)
    return np.concatenate([fixed, np.sort(np.stack(found, axis=1), axis=1)], axis=1).astype(np.int8)


def count(surface: Intersection) -> int:
    """How many charts there are."""
    eliminable = surface.coordinates - len(surface.sizes)
    return prod(surface.sizes) * comb(eliminable, len(surface.equations))


def split(surface: Intersection, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scaled coordinates (N, r), the eliminated ones (N, p) and the kept ones (N, d), ascending."""
    r, chart = len(surface.sizes), chart.astype(np.int64)
    taken = np.zeros((len(chart), surface.coordinates), bool)
    np.put_along_axis(taken, chart, True, axis=1)
    index = np.broadcast_to(np.arange(surface.coordinates), taken.shape)
    return chart[:, :r], chart[:, r:], index[~taken].reshape(len(chart), surface.dimension)


def complaints(sizes: tuple[int, ...], z: np.ndarray, chart: np.ndarray, equations: int) -> Iterator[str]:
    """What makes (N, w) integers no charts of points z (N, C), the first that is found; used unchecked later."""
    r = len(sizes)
    if chart.shape[1] != r + equations:
        yield f"points/chart has {chart.shape[1]} integers a point: a chart here has {r + equations}"
    ends = np.cumsum(sizes)
    inside = (chart[:, :r] >= ends - sizes) & (chart[:, :r] < ends)
    rest = chart[:, r:]
    wrong = ~inside.all(1) | ((rest < 0) | (rest >= z.shape[1])).any(1) | (np.diff(rest, axis=1) <= 0).any(1)
    wrong |= (rest[:, :, None] == chart[:, None, :r]).any((1, 2))
    if wrong.any():
        row = int(wrong.argmax())
        yield f"points/chart[{row}] = {chart[row].tolist()}: it is no chart of this manifold"
    scale = np.take_along_axis(z, chart[:, :r].astype(np.int64), 1)
    if not scale.all():
        yield f"points/z[{int((scale == 0).any(1).argmax())}] does not lie in its chart"


def in_chart(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """Points scaled as given charts have them: (N, C) complex."""
    fixed = chart[:, : len(surface.sizes)].astype(np.int64)
    found = z / np.take_along_axis(z, fixed, 1)[:, surface.member]
    np.put_along_axis(found, fixed, 1.0, axis=1)
    return found


def jacobian(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """dz/dx along X: 1 on the kept coordinates, -(dQ_e)^-1 dQ_k on the eliminated ones: (N, C, d) complex."""
    rows = np.arange(len(z))[:, None]
    _, eliminated, free = split(surface, chart)
    slopes = surface.slopes(z)
    found = np.zeros((len(z), surface.coordinates, surface.dimension), np.complex128)
    found[rows, free, np.arange(surface.dimension)] = 1.0
    found[rows, eliminated] = -np.linalg.solve(_columns(slopes, eliminated), _columns(slopes, free))
    return found


def _columns(slopes: np.ndarray, which: np.ndarray) -> np.ndarray:
    return np.take_along_axis(slopes, which[:, None, :], 2)


def omega2(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """|Omega|^2 = 1 / |det dQ_e|^2, the residue in the chart: (N,) float64."""
    minor = _columns(surface.slopes(z), split(surface, chart)[1])
    return 1 / np.abs(np.linalg.det(minor)) ** 2


def transition(surface: Intersection, z: np.ndarray, chart: np.ndarray, other: np.ndarray) -> np.ndarray:
    """T = dx/dy from coordinates x of `chart` to y of `other`: a metric moves by g_y = T^T g_x conj(T): (N, d, d)."""
    rows = np.arange(len(z))[:, None]
    there, here = in_chart(surface, z, other), in_chart(surface, z, chart)
    slope = jacobian(surface, there, other)
    fixed, _, free = split(surface, chart)
    scale = np.take_along_axis(fixed, surface.member[free], 1)
    change = slope[rows, free] - here[rows, free][:, :, None] * slope[rows, scale]
    return change / there[rows, scale][:, :, None]


def displaced(surface: Intersection, z: np.ndarray, chart: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Points of X whose local coordinates differ by a step (N, d), small. Raises NumericalError where Newton finds none."""
    rows = np.arange(len(z))[:, None]
    _, eliminated, free = split(surface, chart)
    moved = z + np.einsum("xcd,xd->xc", jacobian(surface, z, chart), step)
    moved[rows, free] = z[rows, free] + step
    moved = solved(surface, moved, eliminated, 8)
    off = np.abs(surface.value(moved)).max(1, initial=0)
    if len(off) and not off.max() < 1e-10:
        raise NumericalError(
            f"|Q| = {off.max():.1e} after a step of {np.abs(step).max():.1e} in chart {chart[off.argmax()].tolist()}: "
            "the step leaves the chart; take a smaller one"
        )
    return moved


def solved(surface: Intersection, z: np.ndarray, eliminated: np.ndarray, steps: int) -> np.ndarray:
    """Newton steps on the eliminated coordinates (N, p) alone: (N, C) complex."""
    rows, moved = np.arange(len(z))[:, None], z.copy()
    for _ in range(steps):
        minor = _columns(surface.slopes(moved), eliminated)
        moved[rows, eliminated] -= np.linalg.solve(minor, surface.value(moved)[:, :, None])[:, :, 0]
    return moved


def shaken(surface: Intersection, z: np.ndarray, chart: np.ndarray, noise: np.ndarray, project: bool) -> np.ndarray:
    """Points displaced by noise (N, C) in their affine coordinates, and, to project, brought back onto X along its normal."""
    fixed = split(surface, chart)[0]
    moved = z + noise
    np.put_along_axis(moved, fixed, 1.0, axis=1)
    for _ in range(20 if project else 0):
        slopes = surface.slopes(moved)
        np.put_along_axis(slopes, fixed[:, None, :].repeat(slopes.shape[1], 1), 0.0, axis=2)
        normal = slopes.conj().swapaxes(1, 2)
        moved -= (normal @ np.linalg.solve(slopes @ normal, surface.value(moved)[:, :, None]))[:, :, 0]
    return moved
