"""How far apart two metrics on one manifold are, at the same fresh points: the error bar of a metric (theory 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import dataset
from mpiflow.dataset import PointSet
from mpiflow.flows.predictor import Predictor
from mpiflow.geometry.domain import Domain, Points
from mpiflow.job.evaluate import Row, row
from mpiflow.measures import mean
from mpiflow.ranks.exchange import Exchange


@dataclass(frozen=True)
class Difference:
    """Two metrics on `count` points. mean, largest: of D (`relative`), by the measure of Omega; rows: what each is worth."""

    count: int
    mean: float
    largest: float
    rows: tuple[Row, Row]


def relative(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """D = max over tangent vectors v of |g1(v, v) - g2(v, v)| / (g1 + g2)(v, v) / 2: (N, d, d) twice to (N,) float64.

    The largest |mu| with (g1 - g2) v = mu (g1 + g2)/2 v, hence the operator norm of the difference in an orthonormal frame
    of the mean: the same in every chart and frame, that of g_FS too, and whichever metric comes first. Below 2 where both are
    positive definite; infinite where their mean is not. No scale is removed: K is log|z|^2 + a function for both.
    """
    found, middle = np.full(len(first), np.inf), (first + second) / 2
    sound = np.flatnonzero(np.linalg.eigvalsh(middle)[:, 0] > 0) if len(first) else np.zeros(0, np.int64)
    inverse = np.linalg.inv(np.linalg.cholesky(middle[sound]))
    apart = inverse @ (first - second)[sound] @ inverse.conj().transpose(0, 2, 1)
    found[sound] = np.abs(np.linalg.eigvalsh(apart)).max(axis=1, initial=0)
    return found


def difference(
    surface: Domain,
    own: np.ndarray,
    points: Points,
    predictors: tuple[Predictor, Predictor],
    trains: tuple[PointSet, ...],
) -> Difference:
    """Compare two predictors at points, known by their numbers `own`; trains: the train points of each. Collective."""
    comm = trains[0].layout.comm
    sets = [dataset.placed(comm, surface, own, points, train) for train in trains]
    metrics = [p.metric(s.layout, s.points.z, s.points.chart) for p, s in zip(predictors, sets, strict=True)]
    rows = tuple(
        row(surface, name, "fresh", s, train, lambda _, g=g: lambda z: g, False)
        for name, s, train, g in zip(("first", "second"), sets, trains, metrics, strict=True)
    )
    # Of both on the ranks that have them of the first: each run has its own clusters.
    layout, moved = sets[0].layout, Exchange(comm, sets[1].layout.rows, sets[0].layout.rows)
    apart = relative(metrics[0], moved(metrics[1]))
    largest = -comm.min(-float(apart.max(initial=0)))
    return Difference(layout.total, mean(layout, sets[0].points, apart), largest, rows)
