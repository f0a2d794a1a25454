"""How far apart two metrics on one manifold are, at the same fresh points: the error bar of a metric (theory 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import dataset
from mpiflow.dataset import PointSet
from mpiflow.errors import InputError
from mpiflow.flows.predictor import Predictor
from mpiflow.geometry.domain import Domain, Points
from mpiflow.job.evaluate import Row, row
from mpiflow.measures import mean
from mpiflow.ranks.exchange import Exchange

if TYPE_CHECKING:
    from mpiflow.predictor import Model

#: |Q| at |z| = 1 above which a sampled point of one manifold lies on no other.
OTHER = 1e-10


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


def together(models: tuple[Model, Model]) -> None:
    """Raises InputError for models that cannot be compared."""
    sizes = [model.comm.size for model in models]
    if sizes[0] != sizes[1]:
        raise InputError(f"the models were opened on {sizes[0]} and on {sizes[1]} ranks: give both the same comm")
    shapes = [(model.surface.coordinates, model.surface.dimension) for model in models]
    if shapes[0] != shapes[1]:
        raise _apart(models)


def on_one(models: tuple[Model, Model], points: Points) -> None:
    """Raises InputError where points of the first manifold do not lie on the other one; collective."""
    off = models[0].comm.min(-float(models[1].surface.off(points.z).max(initial=0)))
    if not -off < OTHER:
        raise _apart(models)


def shared(models: tuple[Model, Model]) -> tuple[int, ...] | str:
    """The chart of the points that both runs know. Raises InputError where there is none."""
    known = ["all" if model.everywhere else model.config.points.chart for model in models]
    charts = {chart for chart in known if chart != "all"}
    if len(charts) > 1:
        raise InputError(
            f"the runs were made in charts {list(known[0])} and {list(known[1])}, and know no other: ask for extrapolate "
            "(its accuracy is not known), or run both in one chart"
        )
    return charts.pop() if charts else "all"


def _apart(models: tuple[Model, Model]) -> InputError:
    first, second = (model.config.manifold.model_dump(mode="json", exclude_none=True) for model in models)
    # Monomials and coefficients may be long.
    apart = (
        f"{key} {first.get(key)!r:.60} and {second.get(key)!r:.60}"
        for key in first | second
        if first.get(key) != second.get(key)
    )
    return InputError(f"the runs are on different manifolds, of {', '.join(apart)}: compare metrics on one")
