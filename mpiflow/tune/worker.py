"""The trials of one worker of a study, one after another, each on all of its ranks."""

from __future__ import annotations

import time
from math import isfinite
from pathlib import Path

from mpiflow import streams
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import NumericalError
from mpiflow.job.triggers import Triggers
from mpiflow.screen import Screen
from mpiflow.state import status
from mpiflow.tune import worker_folder
from mpiflow.tune.trial import Outcome, measured
from mpiflow.tune.variant import variant


def seed(settings: Config) -> int:
    """The seed of a study: its own, or that of its run file."""
    return settings.run.seed if settings.tune.seed is None else settings.tune.seed


class Worker:
    """The trials of one worker. desk: on rank 0, None elsewhere. project: as of `report.write`."""

    def __init__(
        self,
        comm: Comm,
        settings: Config,
        where: Path,
        screen: Screen,
        max_time: float | None,
        worker: str,
        desk,
        project: Path | None = None,
    ):
        self.project = project
        self.comm, self.settings, self.where, self.screen, self.desk = comm, settings, where, screen, desk
        self.folder, self.max_time = worker_folder(where, worker), max_time
        # One decision a trial: its margin is that of the longest trial.
        self.between = Triggers(comm, self.folder, max_time)
        #: Trials that came to an end in this start.
        self.ended = 0

    def all(self) -> str:
        """Trials until none is wanted (returns "") or until a trigger stops this worker (returns the reason)."""
        while True:
            self.status("running", None, "")
            stop = self.between.decide(0, 0.0).stop
            task = None if stop else self._next()
            if task is None:
                return stop
            if stop := self._one(task):
                return stop

    def _one(self, task) -> str:
        """One trial, told to the study; the reason where it was stopped, and is to be tried again."""
        start = time.monotonic()
        try:
            stop, outcome, why = self._run(task)
        except NumericalError as error:
            stop, outcome, why = "", None, str(error)
        except Exception:
            # Perhaps of this rank alone: nothing collective from here.
            if self.desk:
                self.desk.give_back()
            raise
        seconds = time.monotonic() - start
        self.ended += not stop
        self._lead(lambda desk: desk.give_back() if stop else self._told(desk, task, outcome, seconds, why))
        return stop

    def status(self, state: str, code: int | None, message: str) -> None:
        """Write the worker's status.json, for batch scripts and for people; collective."""
        self._lead(lambda desk: self.tell(state, code, message))

    def tell(self, state: str, code: int | None, message: str) -> None:
        """The same from rank 0 alone."""
        if self.desk:
            from mpiflow.tune.places import finished

            status.report(self.folder, state, finished(self.desk.trials()), self.desk.total, code, message)

    def stopped(self, reason: str) -> str:
        """What is said of a stop, in words; of one before any trial of this start came to its end also the cure."""
        told = "" if self.ended else f"; no trial ended in this start{self.between.standstill(0.0)}"
        return f"stopped by {reason}{told}; the same command goes on from there"

    def rest(self) -> str:
        """What is left when this worker has nothing to do, in words; collective."""

        def told(desk):
            from mpiflow.tune.places import WORKER, running

            others = sorted({trial.user_attrs.get(WORKER, "?") for trial in running(desk.trials())})
            return f"; {', '.join(others)} still at work" if others else ""

        return f"no trial is left to begin{self._lead(told)}"

    def report(self) -> None:
        """Table, picture, CSV and best run file of all that was done so far, by whomever."""

        def write(desk):
            from mpiflow.tune import report

            table, lines = report.write(self.where, self.settings, desk.searched, desk.trials(), self.project)
            self.screen.show(table)
            self.screen.say(*lines)

        self._lead(write)

    def _next(self):
        return self._lead(lambda desk: desk.next())

    def _lead(self, act):
        """What act(desk) returns on rank 0, on every rank; collective."""
        return self.comm.led(act, self.desk)

    def _run(self, task) -> tuple[str, Outcome | None, str]:
        """Why it was stopped, its outcome (None for a trial given up), and why it was given up; collective."""
        wishes = Triggers(self.comm, self.folder, self.max_time)
        stop = why = ""

        def look(step: int, found) -> bool:
            nonlocal stop, why
            stop = wishes.decide(step, 0.0).stop
            if stop or step % self.settings.tune.every:
                return not stop
            value = found()[self.settings.tune.objective]
            going = self._lead(lambda desk: desk.look(step, value))
            why = "" if going else f"given up after {step} steps at {self.settings.tune.objective} {value:.4g}"
            return going

        values = {**task.values, "run.seed": streams.study(seed(self.settings), task.place)}
        outcome = measured(self.comm, variant(self.settings, values, f"trial {task.place}"), look)
        if outcome and not (isfinite(outcome.gain) and isfinite(outcome.sigma)):
            outcome, why = None, "sigma is not finite"
        return stop, outcome, why

    def _told(self, desk, task, outcome, seconds: float, why: str) -> None:
        ended = desk.tell(outcome, self.settings.tune.objective, seconds, why)
        values = ", ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in task.values.items()
        )
        self.screen.say(f"trial {task.place + 1} of {desk.total}: {values}: {ended}")
