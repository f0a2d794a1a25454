"""One worker's hold on a study (rank 0 only): which trial is next, what became of it, and which were left by the dead."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from mpiflow.errors import StateError
from mpiflow.state.lock import RunLock
from mpiflow.tune.places import DEATHS, PLACE, SURPLUS, WORKER, begun, place, running, wanted
from mpiflow.tune.space import Choice, Range
from mpiflow.tune.trial import Outcome

#: A place whose workers died this often is left: it may be what kills them.
RETRIES = 2
#: A trial that no worker signed is left by one that died as it began, once it is this old.
_SIGNED = timedelta(minutes=5)


class Task(NamedTuple):
    """A trial to run: its place in the study, and the value of each key."""

    place: int
    values: dict


class Desk:
    """Trials taken and given back one at a time under this worker's name; its folder must be locked by this process."""

    def __init__(self, study: optuna.Study, searched: list[Range | Choice], total: int, folder: Path):
        self.study, self.searched, self.total, self.folder = study, searched, total, folder
        self._trial: optuna.Trial | None = None

    def trials(self) -> list[FrozenTrial]:
        """All trials in the order in which they were begun."""
        return self.study.get_trials(deepcopy=False)

    def next(self) -> Task | None:
        """Take a trial; None where none is wanted any more."""
        self._bury()
        if not wanted(self.trials(), self.total):
            return None
        trial = self.study.ask()
        trials = self.trials()
        if PLACE not in trial.user_attrs and begun(trials[: trial.number]) >= self.total:
            # Another worker took the last place at the same moment.
            trial.set_user_attr(SURPLUS, True)
            self.study.tell(trial, state=TrialState.FAIL)
            return None
        trial.set_user_attr(WORKER, self.folder.name)
        self._trial = trial
        return Task(place(trials, trial.number), {d.key: d.suggest(trial) for d in self.searched})

    def look(self, step: int, value: float) -> bool:
        """Note the objective at a step; False where the trial should be given up."""
        try:
            self._trial.report(value, step)
        except UpdateFinishedTrialError:
            return False  # taken for dead: see tell
        return not self._trial.should_prune()

    def tell(self, outcome: Outcome | None, objective: str, seconds: float, why: str = "") -> str:
        """Note how the trial ended, None for one that was given up, and why; returns that in words."""
        trial, self._trial = self._trial, None
        try:
            for name, value in ({"seconds": seconds, "why": why} | (asdict(outcome) if outcome else {})).items():
                trial.set_user_attr(name, value)
            if outcome is None:
                self.study.tell(trial, state=TrialState.PRUNED)
                return why
            self.study.tell(trial, getattr(outcome, objective))
        except UpdateFinishedTrialError:
            return "not counted: this worker was taken for dead, and the trial is another's now"
        return f"gain {outcome.gain:.4g} on unseen points, {outcome.gain_train:.4g} on train points"

    def give_back(self) -> None:
        """Let the trial be tried again, by this worker or another."""
        trial, self._trial = self._trial, None
        self._again(trial.number, deaths=0)

    def _bury(self) -> None:
        """Have trials of workers that are gone tried again, unless that was done too often."""
        for trial in running(self.trials()):
            if self._deserted(trial):
                self._again(trial.number, deaths=1)

    def _deserted(self, trial: FrozenTrial) -> bool:
        name = trial.user_attrs.get(WORKER)
        if name is None:
            return datetime.now() - trial.datetime_start > _SIGNED
        folder = self.folder.parent / name
        if folder == self.folder or not folder.exists():
            # Its former self, before it was started again under the same name.
            return True
        try:
            with RunLock(folder, patience=0):
                return True
        except StateError:
            return False

    def _again(self, number: int, deaths: int) -> None:
        trials = self.trials()
        trial = trials[number]
        try:
            self.study.tell(number, state=TrialState.FAIL)
        except (UpdateFinishedTrialError, ValueError):
            return  # another worker was quicker
        deaths += trial.user_attrs.get(DEATHS, 0)
        if deaths <= RETRIES:
            attributes = {PLACE: place(trials, number), DEATHS: deaths}
            # Some values without the others would shift what is drawn for those; without any, the place draws them again.
            values = trial.params if len(trial.params) == len(self.searched) else {}
            self.study.enqueue_trial(values, user_attrs=attributes)
