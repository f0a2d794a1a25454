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
    """Measure the curvature of a metric on points of all charts; collective."""
    g, riemann = predictor.curvature(points.z, points.chart)
    metric = predictor.metric(layout, points.z, points.chart)
    eta = losses.eta(metric, points.omega2, kappa_of(layout, points, metric))
    known = surface.dimension <= 3
    density = curvature.euler_density(g, riemann) if known else np.zeros(len(g))
    # Relative to a set that follows the volume of g_FS; 1 for one that does.
    share = points.weight / surface.form(points)
    rows = layout.gather(np.stack([density, curvature.scalar(g, riemann), eta, points.weight, share], axis=1))
    found = None
    if rows is not None:
        density, scalar, eta, weight, share = rows.T
        weight, density = weight / share.mean(), density * share / share.mean()
        ricci = curvature.ricci_measure(scalar, eta, weight, surface.volume, surface.dimension)
        whole = surface.volume, surface.dimension, surface.points_a_cut
        euler = curvature.euler_number(density, *whole) if known else None
        found = Curvature(layout.total, ricci, *(euler or (None, None)))
    return layout.comm.bcast(found)
