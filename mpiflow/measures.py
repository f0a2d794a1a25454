"""What is measured of a metric over all points of all ranks (theory 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import losses
from mpiflow.geometry import curvature
from mpiflow.geometry.domain import Domain, Points
from mpiflow.pointwise import Entries
from mpiflow.ranks.shards import Layout

if TYPE_CHECKING:
    from mpiflow.flows.predictor import Predictor

#: Points up to which curvature is computed at all of them, about the share of more where it is, and points in one go.
_WHOLE, _SHARE, _TOGETHER = 20_000, 0.2, 4096
#: Relative densities of points that follow the volume differ by no more.
_SAME = 1e-9
_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Curvature:
    """What the curvature of a Kaehler metric tells: the Ricci measure, and the Euler number as a check.

    euler, error: by Chern-Gauss-Bonnet, and its standard error. Both are None for d = 4, and on fewer points than two
    random cuts have, which tell no error.
    """

    count: int
    ricci: float
    euler: float | None
    error: float | None


@dataclass(frozen=True)
class Volume:
    """The integral of (i/2pi d dbar K)^d over X: found on points, with its standard error, and by intersection numbers."""

    count: int
    found: float
    error: float
    exact: float


def least_eigenvalue(g: np.ndarray) -> np.ndarray:
    """Smallest eigenvalue of Hermitian matrices: (N, d, d) to (N,); NaN where an entry is not finite."""
    return Entries.of(g).least()


def kappa_of(layout: Layout, points: Points, g: np.ndarray) -> float:
    """The w-mean of det g / |Omega|^2, for which eta has w-mean 1; collective."""
    ratio = losses.determinant(g).astype(np.float64) / points.omega2
    return mean(layout, points, ratio)


def mean(layout: Layout, points: Points, value: np.ndarray) -> float:
    """The w-mean of a value at the own points (n_r,): its average over X by the measure of Omega; collective."""
    weight, weighted = layout.sum(np.stack([points.weight, points.weight * value], axis=1))
    return float(weighted / weight)


def sigma(layout: Layout, points: Points, g: np.ndarray) -> float:
    """The sigma measure (HR B.11) with the kappa of the evaluated set; collective."""
    deviation = np.abs(1 - losses.eta(g, points.omega2, kappa_of(layout, points, g)).astype(np.float64))
    return mean(layout, points, deviation)


def gain(reference: float, value: float) -> float:
    """sigma(g_FS) / sigma(g); without bound (infinite) where sigma(g) is 0 to the last bit, and 1 where both are."""
    if value:
        return reference / value
    return float("inf") if reference else 1.0


def curvature_of(surface: Domain, predictor: Predictor, layout: Layout, points: Points) -> Curvature:
    """Measure the curvature of a metric on points of all charts; collective.

    Of more than _WHOLE points it is computed at some: each at its chance (`_chance`), and counted over it.
    """
    form = surface.form(points)
    # Relative to a set that follows the volume of g_FS; 1 for one that does.
    share, chance = points.weight / form, _chance(layout, form)
    # Multiples of the golden section fill (0, 1) evenly, and know nothing of the points.
    kept = np.flatnonzero(layout.rows * _GOLDEN % 1 < chance)
    columns = np.zeros((len(form), 5))
    for rows in np.split(kept, range(_TOGETHER, len(kept), _TOGETHER)):
        g, riemann = predictor.curvature(points.z[rows], points.chart[rows])
        known = curvature.euler_density(g, riemann) if surface.dimension <= 3 else np.zeros(len(g))
        ratio = losses.determinant(g) / form[rows]
        counted = np.stack([points.weight[rows], share[rows]], axis=1) / chance[rows, None]
        columns[rows] = np.column_stack([known, curvature.scalar(g, riemann), ratio, counted])
    gathered = layout.gather(columns), layout.gather(share)
    return layout.comm.bcast(None if gathered[1] is None else _measured(surface, layout.total, *gathered))


def volume_of(surface: Domain, layout: Layout, points: Points) -> Volume | None:
    """Measure the volume of X in its Kaehler class on points of all charts; collective.

    None where it is right whatever the points are, since they follow the volume, and on fewer points than tell an error.
    """
    share, measured = layout.gather(points.weight / surface.form(points)), None
    if share is not None and np.ptp(share) > _SAME:
        found = curvature.by_cuts(surface.volume * share, surface.points_a_cut)
        measured = found and Volume(layout.total, *found, surface.volume)
    return layout.comm.bcast(measured)


def _chance(layout: Layout, form: np.ndarray) -> np.ndarray:
    """Of each own point that its curvature is computed, (n_r,): the Euler density has its large values where the form has."""
    if layout.total <= _WHOLE:
        return np.ones_like(form)
    mean = layout.sum(form**2) / layout.total
    return np.minimum(1.0, _SHARE * (1 + 3 * form**2 / mean) / 4)


def _measured(surface: Domain, total: int, columns: np.ndarray, share: np.ndarray) -> Curvature:
    """Of what is known of all points: (N, 5) density, R, det g / |Omega|^2, weight and share, the last two over the chance."""
    density, scalar, ratio, weight, counted = columns.T
    eta = ratio * weight.sum() / (weight * ratio).sum()
    ricci = curvature.ricci_measure(scalar, eta, weight / share.mean(), surface.volume, surface.dimension)
    if surface.dimension > 3:
        return Curvature(total, ricci, None, None)
    found = curvature.euler_number(
        density * counted / share.mean(), surface.volume, surface.dimension, surface.points_a_cut
    )
    return Curvature(total, ricci, *(found or (None, None)))
