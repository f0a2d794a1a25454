"""The hyperparameters that a study finds for a kernel of the paper, and what they are worth on other points (HR 3.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mpiflow import config, streams
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import RESUBMIT, NumericalError, Stopped
from mpiflow.screen import Screen
from mpiflow.tune.space import dimensions
from mpiflow.tune.study import tune
from mpiflow.tune.trial import Outcome, measured
from mpiflow.tune.variant import variant

#: Train and unseen points of a trial; the tuned values are then used for every number of train points.
TUNED_AT, UNSEEN = 1000, 1000
TRIALS, FINALISTS, STEPS = 40, 5, 50
#: Where each study begins.
KERNELS = {
    "Gaussian": {"kernel": {"name": "gaussian", "width": 0.4}, "flow": {"dt": 0.03, "normalisation": "row"}},
    "Delta": {"kernel": {"name": "delta"}, "flow": {"dt": 0.01, "normalisation": "row"}},
    "ReLU NTK": {"kernel": {"name": "relu"}, "flow": {"dt": 0.05, "normalisation": "mean"}},
}
#: The stream of seeds of the finalists: they and the trials never share a set of points.
_AGAIN = 10**9


def settings_of(table: dict, count: int, seed: int) -> Config:
    """The run file where a study begins; table: what differs from the paper's protocol."""
    base = {
        "run": {"name": "table", "seed": seed},
        "points": {"train": count, "test": UNSEEN},
        "flow": {"steps": STEPS},
        "tune": {"trials": TRIALS},
    }
    merged = {key: {**base.get(key, {}), **table.get(key, {})} for key in {**base, **table}}
    return config.check(merged, "table")


def tuned(comm: Comm, folder: Path, name: str, table: dict, count: int, seed: int) -> Config:
    """The best run file of a kernel's study, which is resumed where it is there; collective.

    One trial says little, and the best of many flatters: the best FINALISTS are measured again on other sets of points,
    and the one with the best gain on its worst set is taken.
    """
    settings = settings_of(table, count, seed)
    where = folder / f"{settings.method}-{count}-seed-{seed}"
    if tune(comm, settings, where, Screen(comm.rank, quiet=True), worker="table") == RESUBMIT:
        raise Stopped(f"{where}: the study of {name} was stopped in time; the same line goes on with it")
    # Optuna is an extra, and slow to load.
    from mpiflow.tune.report import finalists

    found = comm.led(finalists, where, settings.tune.objective, FINALISTS)
    candidates = [variant(settings, values, name) for values in found]
    gains = [_least(worth(comm, one, count, seeds_of(seed, _AGAIN, 3))) for one in candidates]
    return candidates[gains.index(max(gains))]


def _least(found: list[Outcome | None]) -> float:
    """What values are worth on their worst set of points: a study is full of steps that go well once."""
    return min(one.gain if one else 0.0 for one in found)


def seeds_of(seed: int, stream: int, count: int) -> list[int]:
    """Seeds of sets of points that no trial and no other stream has."""
    return [streams.study(stream + seed, number) for number in range(count)]


def values_of(tuned: Config) -> dict[str, Any]:
    """The values of the searched keys in a run file."""
    table = tuned.model_dump()
    keys = [dimension.key.split(".") for dimension in dimensions(tuned.moved_by.space, None)]
    return {f"{section}.{key}": table[section][key] for section, key in keys}


def worth(comm: Comm, tuned: Config, count: int, seeds: list[int]) -> list[Outcome | None]:
    """What a run file is worth on the points of each seed; None where it breaks down; collective."""
    found: list[Outcome | None] = []
    for seed in seeds:
        settings = variant(tuned, {"points.train": count, "run.seed": seed}, "table")
        try:
            found.append(measured(comm, settings, lambda step, found: True))
        except NumericalError:
            found.append(None)
    return found
