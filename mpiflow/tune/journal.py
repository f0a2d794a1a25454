"""A study in a file that many workers append to, on any file system that they share."""

from __future__ import annotations

import os
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from mpiflow.config import Config
from mpiflow.doors import own as doors
from mpiflow.errors import InputError
from mpiflow.state.provenance import compare
from mpiflow.tune.sampler import PlaceSampler
from mpiflow.tune.space import Choice, Range
from mpiflow.tune.variant import own

_NAME, _SETTINGS, _FILE = "tune", "settings", "study.journal"
#: Trials whose looks the pruner wants to see before it gives any up.
_BEFORE_PRUNING = 5


def opened(folder: Path, settings: Config, searched: list[Range | Choice], seed: int) -> optuna.Study:
    """The study of a folder, begun if there is none. Raises InputError where it is one of other settings."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if (folder / _FILE).is_symlink():
        raise InputError(f"{folder / _FILE}: is a link, and Optuna would write through it; remove it")
    _mend(folder / _FILE)
    tune = settings.tune
    try:
        study = optuna.create_study(
            study_name=_NAME,
            storage=_storage(folder),
            direction="maximize" if tune.objective == "gain" else "minimize",
            sampler=PlaceSampler(seed, own(settings, searched)),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING)
            if tune.prune
            else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
    # Optuna believes what it reads, line by line.
    except (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:100]
        raise InputError(
            f"{folder / _FILE}: is no journal of a study ({why}); move it away, or choose another folder with -o"
        ) from None
    wanted = _identity(settings, searched, seed)
    held = study.user_attrs.get(_SETTINGS)
    if held is None:
        study.set_user_attr(_SETTINGS, wanted)
    elif changed := compare({"study": _held(held, settings)}, {"study": wanted}).fatal:
        told = "; ".join(line.removeprefix("study.") for line in changed)
        raise InputError(
            f"{folder}: holds a study of other settings ({told}): restore these keys, or choose another folder with -o"
        )
    return study


def trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    """All trials of the study of a folder, in the order in which they were begun."""
    return optuna.load_study(study_name=_NAME, storage=_storage(folder)).get_trials(deepcopy=False)


def ours(folder: Path) -> bool:
    """Whether a folder holds a study."""
    return (folder / _FILE).is_file() and not (folder / _FILE).is_symlink()


def _storage(folder: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(folder / _FILE)))


def _identity(settings: Config, searched: list[Range | Choice], seed: int) -> dict:
    """What all trials of a study share; its number of trials may grow. Of users' files what is in them, not where they lie."""
    found = settings.model_dump(exclude_none=True, mode="json", exclude={"output": True, "engine": {"memory"}})
    found["run"].pop("name")
    found = _placeless(found, settings) | doors.hashes(settings)
    tune = settings.tune
    space = {dimension.key: list(dimension.ends()) for dimension in searched}
    return found | {
        "tune": {"seed": seed, "objective": tune.objective, "every": tune.every, "prune": tune.prune, **space}
    }


def _held(held: dict, settings: Config) -> dict:
    """The identity that a journal holds; older ones have no hashes, and whole paths."""
    return _placeless(doors.hashes(settings) | held, settings)


def _placeless(table: dict, settings: Config) -> dict:
    """With the files of users' classes by their names alone."""
    for door, _ in doors.of(settings):
        if isinstance(name := door.named(table), str):
            door.set_name(table, Path(name).name)
    return table


def _mend(path: Path) -> None:
    """Cut off a line that a worker died in: what another worker appended to it could never be read."""
    if not path.exists():
        return
    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        with path.open("rb+") as file:
            text = file.read()
            if text and not text.endswith(b"\n"):
                file.truncate(text.rfind(b"\n") + 1)
                os.fsync(file.fileno())
    finally:
        lock.release()
