"""What the curvature of a Kaehler metric tells: the Ricci measure, and the Euler number as a check (theory 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import losses
from mpiflow.dataset import PointSet
from mpiflow.flows.predictor import Predictor
from mpiflow.geometry import curvature
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.measures import kappa_of


@dataclass(frozen=True)
class Curvature:
    """ricci: the Ricci measure. euler, error: the Euler number by Chern-Gauss-Bonnet and its standard error.

    Both are None for d = 4, and on fewer points than two lines have, 2 (n + 1), which tell no error.
    """

    count: int
    ricci: float
    euler: float | None
    error: float | None


def curvature_of(surface: Hypersurface, predictor: Predictor, points: PointSet) -> Curvature:
    """Measure the curvature on points of all charts, which follow the volume of g_FS; collective."""
    layout, p = points.layout, points.points
    g, riemann = predictor.curvature(p.z, p.chart)
    metric = predictor.metric(layout, p.z, p.chart)
    eta = losses.eta(metric, p.omega2, kappa_of(layout, p, metric))
    density = curvature.euler_density(g, riemann) if surface.dimension <= 3 else np.zeros(len(g))
    rows = layout.gather(np.stack([density, curvature.scalar(g, riemann), eta, p.weight], axis=1))
    found = None
    if rows is not None:
        density, scalar, eta, weight = rows.T
        ricci = curvature.ricci_measure(scalar, eta, weight, surface.degree, surface.dimension)
        known = None
        if surface.dimension <= 3:
            known = curvature.euler_number(density, surface.degree, surface.dimension, surface.degree)
        found = Curvature(layout.total, ricci, *(known or (None, None)))
    return layout.comm.bcast(found)
