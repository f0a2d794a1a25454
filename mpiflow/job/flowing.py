"""A run file at work, wherever it is: the one place where points are drawn, a flow is built and stepped, and is measured."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mpiflow import build, dataset
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.dataset import PointSet
from mpiflow.flows.history import History, Record
from mpiflow.flows.predictor import Predictor
from mpiflow.job import evaluate
from mpiflow.job.restart import Restart
from mpiflow.measures import sigma


class Flowing:
    """The points of a run file, and the flow on them, built when it is first asked for; all of it collective.

    exchanged: (levels,) int64, bytes that this rank received at each level of the merge. stored: attributes of the state
    that the flow resumes from, {} for none. step: the last one that is done.
    """

    def __init__(self, comm: Comm, config: Config, surface, train: PointSet, test: PointSet, exchanged, stored: dict):
        self.comm, self.config, self.surface = comm, config, surface
        self.train, self.test, self.exchanged, self.stored = train, test, exchanged, stored
        self.step, self.history = 0, History()

    @classmethod
    def begun(cls, comm: Comm, config: Config, surface=None) -> Flowing:
        """On the points of the run file: sampled, clustered, merged and dealt out. Raises InputError as they do."""
        surface = surface or config.surface()
        train, exchanged = dataset.train_points(comm, surface, config)
        test = dataset.test_points(comm, surface, config, train)
        return cls(comm, config, surface, train, test, exchanged, {})

    @classmethod
    def resumed(cls, config: Config, surface, restart: Restart) -> Flowing:
        """On the points of a state, after its step; `restore` brings its flow."""
        points = restart.points(config)
        made = cls(restart.comm, config, surface, *points, np.zeros(0, np.int64), restart.attributes)
        made.step, made.history = restart.step, History(restart.history)
        return made

    def restore(self, restart: Restart) -> None:
        """Go on where a state was written."""
        self.flow.restore(restart.reader(self.train.layout.rows))

    @cached_property
    def flow(self):
        """The flow of the run file. Raises InputError where there is none on these points."""
        return build.flow(self.config, self.surface, self.train, self.stored)

    @cached_property
    def watched(self):
        """A function that gives the metric at the own unseen points as of its call: (n_r, d, d) complex128."""
        return self.flow.watch(self.test)

    def begin(self) -> None:
        """Remember the metric before any step."""
        self.history.add(0, self.flow.record())

    def advance(self) -> Record:
        """One step, remembered. Raises NumericalError where the flow breaks down."""
        record = self.flow.step()
        self.step += 1
        self.history.add(self.step, record)
        return record

    def look(self) -> float:
        """sigma on the unseen points now, remembered."""
        value = sigma(self.test.layout, self.test.points, self.watched())
        self.history.look(self.step, value)
        return value

    @property
    def due(self) -> bool:
        """Whether the run file wants a look at the unseen points after this step."""
        return self.step % self.config.flow.test_every == 0 or self.done

    @property
    def done(self) -> bool:
        """Whether all steps are."""
        return self.step >= self.config.flow.steps

    def finish(self) -> Flowing:
        """All steps that are left, without a look at the unseen points."""
        while not self.done:
            self.advance()
        return self

    def predictor(self) -> Predictor:
        """The metric at every point, as of now."""
        return self.flow.predictor()

    def table(self) -> list[evaluate.Row]:
        """The metric on train and unseen points, then the baselines on unseen ones."""
        sets = {"train": self.train, "unseen": self.test}
        return evaluate.table(self.surface, self.predictor(), self.train, sets)
