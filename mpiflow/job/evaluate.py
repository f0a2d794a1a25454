"""What a metric is worth: sigma and gain, positivity, and how far it is from Kaehler, on train and on unseen points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from mpiflow import losses
from mpiflow.dataset import PointSet, first
from mpiflow.flows.predictor import Predictor
from mpiflow.geometry import kaehler
from mpiflow.geometry.domain import Domain
from mpiflow.measures import gain, kappa_of, least_eigenvalue, sigma

#: The Kaehler defect is the w-mean over this many points at most: each takes 4 metrics for each of 2d real directions.
DEFECT_POINTS = 1000


@dataclass(frozen=True)
class Row:
    """One metric on one set of points. gain: `measures.gain`. defect: None where the metric has no derivatives."""

    metric: str
    points: str
    count: int
    sigma: float
    gain: float
    eta_deviation: float
    positive: float
    min_eigenvalue: float
    defect: float | None


def table(surface: Domain, predictor: Predictor, train: PointSet, sets: dict[str, PointSet]) -> list[Row]:
    """The flowed metric on every set, then two baselines on the last of them: conformal and Fubini-Study; collective."""

    rows = [flowed(surface, predictor, name, points, train) for name, points in sets.items()]
    name, points = list(sets.items())[-1]
    kappa = kappa_of(points.layout, points.points, points.reference(surface))
    rows.append(row(surface, "conformal", name, points, train, lambda s: _conformal(surface, s, kappa), True))
    rows.append(row(surface, "Fubini-Study", name, points, train, lambda s: _fubini_study(surface, s), True))
    return rows


def flowed(surface, predictor: Predictor, name: str, points: PointSet, train: PointSet, defect: bool = True) -> Row:
    """What a predictor's metric is worth on one set, its Kaehler defect only if it is asked for; collective."""

    def metric_of(targets: PointSet) -> Callable[[np.ndarray], np.ndarray]:
        return lambda z: predictor.metric(targets.layout, z, targets.points.chart)

    return row(surface, "flow", name, points, train, metric_of, defect and predictor.continuous)


def row(
    surface: Domain,
    metric: str,
    name: str,
    points: PointSet,
    train: PointSet,
    metric_of: Callable[[PointSet], Callable[[np.ndarray], np.ndarray]],
    continuous: bool,
) -> Row:
    """Measure one metric on one set; metric_of(set) maps (displaced) own points of a set to metrics; collective."""
    layout, g = points.layout, metric_of(points)(points.points.z)
    reference = sigma(layout, points.points, points.reference(surface))
    least = least_eigenvalue(g)
    value = sigma(layout, points.points, g)
    eta = losses.eta(g, points.points.omega2, kappa_of(layout, points.points, g))
    return Row(
        metric=metric,
        points=name,
        count=layout.total,
        sigma=value,
        gain=gain(reference, value),
        eta_deviation=-layout.comm.min(-float(np.abs(eta - 1).max(initial=0))),
        positive=float(layout.sum(least > 0)) / layout.total,
        min_eigenvalue=layout.comm.min(float(least.min(initial=np.inf))),
        defect=_defect(surface, first(surface, points, DEFECT_POINTS, train), metric_of) if continuous else None,
    )


def _defect(surface: Domain, points: PointSet, metric_of) -> float:
    p = points.points
    values = kaehler.defect(surface, metric_of(points), p.z, p.chart)
    weighted, weight = points.layout.sum(np.stack([p.weight * values, p.weight], axis=1))
    return float(weighted / weight)


def _fubini_study(surface: Domain, points: PointSet):
    chart = points.points.chart
    return lambda z: surface.reference(z, chart)


def _conformal(surface: Domain, points: PointSet, kappa: float):
    chart, reference = points.points.chart, _fubini_study(surface, points)

    def metric(z):
        g = reference(z)
        return kaehler.conformal(g, losses.determinant(g), surface.omega2(z, chart), kappa)

    return metric


def plain(row: Row) -> dict:
    """A row for JSON, which has no infinity: a gain over sigma = 0 becomes null."""
    values = asdict(row)
    return {name: None if isinstance(v, float) and not np.isfinite(v) else v for name, v in values.items()}
