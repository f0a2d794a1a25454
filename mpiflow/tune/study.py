"""One worker of a study: trials until there are enough, its time is up, or it is asked to stop."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from math import isfinite
from pathlib import Path

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import RESUBMIT, InputError, NumericalError, WriteError
from mpiflow.screen import Screen
from mpiflow.state import status
from mpiflow.state.lock import RunLock
from mpiflow.triggers import Triggers
from mpiflow.tune import space, worker_folder
from mpiflow.tune.trial import Outcome, measured
from mpiflow.tune.variant import check, seed_of, variant


def tune(
    comm: Comm, settings: Config, where: Path, screen: Screen, *, max_time: float | None = None, worker: str
) -> int:
    """Work on the study of a folder, which is begun if there is none; returns the exit code (0 done, 75 stopped).

    All ranks run each trial together; rank 0 keeps the study. worker: a name that no other worker of the study has.
    Raises InputError before any trial, also where Optuna is missing or the folder holds a study of other settings.
    """
    with ExitStack() as stack:
        found = None
        with comm.lead() as mine:
            if mine:
                found = _begun(settings, where, worker, stack)
        work = Worker(comm, settings, where, screen, max_time, worker, found)
        screen.open_log(worker_folder(where, worker))
        try:
            stop = work.all()
        except Exception as error:
            with suppress(WriteError):
                work.status("failed", getattr(error, "exit_code", 1), f"{type(error).__name__}: {error}")
            raise
        text = f"stopped by {stop}: the same command goes on from there" if stop else work.rest()
        work.status("stopped" if stop else "done", RESUBMIT if stop else 0, text)
        screen.say(text)
        work.report()
        return RESUBMIT if stop else 0


def _begun(settings: Config, where: Path, worker: str, stack: ExitStack):
    """The desk of a worker, its folder locked until the stack closes (rank 0)."""
    try:
        from mpiflow.tune import desk, journal
    except ImportError as error:
        raise InputError(f"mpiflow tune needs Optuna ({error}): pip install 'mpiflow[tune]'") from None
    searched = space.dimensions(settings.method, settings.tune.space)
    check(settings, searched, settings.run.name)
    folder = worker_folder(where, worker)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{where}: cannot be written ({error.strerror}); choose another folder with -o") from None
    stack.enter_context(RunLock(folder))
    study = journal.opened(where, settings, searched, _seed(settings))
    return desk.Desk(study, searched, settings.tune.trials, folder)


def _seed(settings: Config) -> int:
    return settings.run.seed if settings.tune.seed is None else settings.tune.seed


class Worker:
    """The trials of one worker. desk: on rank 0, None elsewhere."""

    def __init__(self, comm: Comm, settings: Config, where: Path, screen: Screen, max_time, worker: str, desk):
        self.comm, self.settings, self.where, self.screen, self.desk = comm, settings, where, screen, desk
        self.folder, self.max_time = worker_folder(where, worker), max_time
        # One decision a trial: its margin is that of the longest trial.
        self.between = Triggers(comm, self.folder, max_time)

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
            self._lead(lambda desk: desk.give_back())
            raise
        seconds = time.monotonic() - start
        self._lead(lambda desk: desk.give_back() if stop else self._tell(desk, task, outcome, seconds, why))
        return stop

    def status(self, state: str, code: int | None, message: str) -> None:
        """Write the worker's status.json, for batch scripts and for people."""

        def write(desk):
            from mpiflow.tune.places import finished

            status.report(self.folder, state, finished(desk.trials()), desk.total, code, message)

        self._lead(write)

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

            table, paths = report.write(self.where, self.settings, desk.searched, desk.trials())
            self.screen.show(table)
            self.screen.say("\n".join(f"{name:8} {path}" for name, path in paths.items()))

        self._lead(write)

    def _next(self):
        return self._lead(lambda desk: desk.next())

    def _lead(self, act):
        """What act(desk) returns on rank 0, on every rank; collective."""
        found = None
        with self.comm.lead() as mine:
            if mine:
                found = act(self.desk)
        return self.comm.bcast(found)

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

        values = {**task.values, "run.seed": seed_of(_seed(self.settings), task.place)}
        outcome = measured(self.comm, variant(self.settings, values, f"trial {task.place}"), look)
        if outcome and not (isfinite(outcome.gain) and isfinite(outcome.sigma)):
            outcome, why = None, "sigma is not finite"
        return stop, outcome, why

    def _tell(self, desk, task, outcome, seconds: float, why: str) -> None:
        ended = desk.tell(outcome, self.settings.tune.objective, seconds, why)
        values = ", ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in task.values.items()
        )
        self.screen.say(f"trial {task.place + 1} of {desk.total}: {values}: {ended}")
