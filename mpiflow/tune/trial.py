"""One trial: the run of a run file in memory alone, measured on unseen points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.job import evaluate
from mpiflow.job.flowing import Flowing
from mpiflow.measures import gain, sigma


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
    made = Flowing.begun(comm, settings)
    test = made.test
    reference = sigma(test.layout, test.points, test.reference(made.surface))

    def found() -> dict[str, float]:
        value = made.look()
        return {"sigma": value, "gain": gain(reference, value)}

    while not made.done:
        made.advance()
        if not made.done and not look(made.step, found):
            return None
    predictor = made.predictor()
    unseen = evaluate.flowed(made.surface, predictor, "unseen", test, made.train)
    train = evaluate.flowed(made.surface, predictor, "train", made.train, made.train, defect=False)
    return Outcome(unseen.sigma, unseen.gain, train.gain, unseen.positive, unseen.defect)
