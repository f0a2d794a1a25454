"""What the main job drives, whatever a metric lives on: its flow, step by step, and what it is worth. A method says which."""

from __future__ import annotations

from functools import cached_property
from types import ModuleType
from typing import ClassVar, Self

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.flows.history import History, Record
from mpiflow.job.restart import Restart
from mpiflow.methods import registry


def of(config: Config) -> type[Driven]:
    """The class that drives the flows of a run file, as its method has it."""
    return registry.of(config).driven()


class Driven:
    """A run file at work; all of it collective. stored: attributes of the state that it resumes from, {} for none.

    report: the module of its table, summary and picture. beginning: what it does before its first step, in words.
    careful: whether a step that fails leaves the flow as it was, so that its state may be saved.
    """

    report: ClassVar[ModuleType]
    beginning: ClassVar[str]
    careful: ClassVar[bool] = False
    #: Work of the heaviest rank over the mean.
    imbalance: float = 1.0

    def __init__(self, comm: Comm, config: Config, surface, stored: dict):
        self.comm, self.config, self.surface, self.stored = comm, config, surface, stored
        self.step, self.history = 0, History()

    @classmethod
    def begun(cls, comm: Comm, config: Config, surface=None) -> Self:
        """As the run file begins. Raises InputError for what cannot be."""
        return cls(comm, config, surface or config.surface(), {})

    @classmethod
    def resumed(cls, config: Config, surface, restart: Restart) -> Self:
        """After the step of a state; `restore` brings its flow."""
        return cls(restart.comm, config, surface, restart.attributes).after(restart)

    def restore(self, restart: Restart) -> None:
        """Go on where a state was written."""
        raise NotImplementedError

    def after(self, restart: Restart) -> Self:
        """With the step and the history of a state."""
        self.step, self.history = restart.step, History(restart.history)
        return self

    @cached_property
    def flow(self):
        """The flow of the run file, by default one that needs no points. Raises InputError where there is none."""
        return registry.of(self.config).flow(self.config, self.surface, self.comm, self.stored)

    def prepare(self) -> None:
        """Build the flow, and what looks at it take."""
        _ = self.flow

    def begin(self) -> None:
        """Remember the metric before any step."""
        self.history.add(0, self.flow.record())

    def advance(self) -> Record:
        """One step, remembered. Raises NumericalError where the flow breaks down."""
        record = self.flow.step()
        self.step += 1
        self.history.add(self.step, record)
        return record

    def look(self) -> object:
        """Measure the metric now, and remember it."""
        raise NotImplementedError

    @property
    def due(self) -> bool:
        """Whether the run file wants a look after this step."""
        return self.step % self.config.flow.test_every == 0 or self.done

    @property
    def done(self) -> bool:
        """Whether all steps are."""
        return self.step >= self.config.flow.steps

    def finish(self) -> Self:
        """All steps that are left, without a look."""
        while not self.done:
            self.advance()
        return self

    def opening(self) -> str:
        """What begins, in one line."""
        raise NotImplementedError

    def shown(self, record: Record) -> str:
        """A step in a few words."""
        raise NotImplementedError

    def constant(self) -> dict[str, np.ndarray]:
        """Datasets of its states that no step changes, on rank 0."""
        return {}

    def gathered(self) -> dict[str, np.ndarray] | None:
        """The other datasets as of now, on rank 0; None elsewhere."""
        found = self.flow.snapshot()
        return None if self.comm.rank else found

    def table(self) -> list:
        """What the metric is worth, rows of `report`."""
        raise NotImplementedError
