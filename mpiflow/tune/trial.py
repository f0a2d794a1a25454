"""One trial: the run of a run file in memory alone, measured on unseen points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mpiflow import build, dataset, evaluate
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.measures import sigma


@dataclass(frozen=True)
class Outcome:
    """What a finished trial is worth: sigma and gain on unseen points, the gain on train points, and what sigma hides.

    positive: share of unseen points where the metric is positive. defect: its w-mean Kaehler defect; None for a metric
    without derivatives.
    """

    sigma: float
    gain: float
    gain_train: float
    positive: float
    defect: float | None


def measured(comm: Comm, settings: Config, look: Callable[[int, Callable[[], dict]], bool]) -> Outcome | None:
    """Flow the points of settings.run.seed to the end; collective.

    look(step, found): called after each step but the last; found() is {"sigma": ..., "gain": ...} on unseen points then
    (collective). False gives the trial up: None is returned. Raises NumericalError where the flow breaks down.
    """
    surface = settings.surface()
    train, _ = dataset.train_points(comm, surface, settings)
    test = dataset.test_points(comm, surface, settings, train)
    flow = build.flow(settings, surface, train, {})
    watched = flow.watch(test)
    reference = sigma(test.layout, test.points, test.reference(surface))

    def found() -> dict[str, float]:
        value = sigma(test.layout, test.points, watched())
        return {"sigma": value, "gain": reference / value if value else float("inf")}

    for step in range(1, settings.flow.steps + 1):
        flow.step()
        if step < settings.flow.steps and not look(step, found):
            return None
    predictor = flow.predictor()

    def row(name, points):
        def flowed(targets):
            return lambda z: predictor.metric(targets.layout, z, targets.points.chart)

        return evaluate.row(surface, "flow", name, points, train, flowed, predictor.continuous and name == "unseen")

    unseen = row("unseen", test)
    return Outcome(unseen.sigma, unseen.gain, row("train", train).gain, unseen.positive, unseen.defect)
