"""The places of a study: each is one set of values on one set of points, however often it had to be tried."""

from __future__ import annotations

from optuna.trial import FrozenTrial, TrialState

#: Names of a trial's attributes: the worker that has it; the place and the deaths of one that is tried again; not wanted.
WORKER, PLACE, DEATHS, SURPLUS = "worker", "place", "deaths", "surplus"


def place(trials: list[FrozenTrial], number: int) -> int:
    """The place of a trial: what it inherited, or the number of places begun before it.

    It depends on the trials before it alone, so that every worker and every restart counts the same.
    """
    return trials[number].user_attrs.get(PLACE, begun(trials[:number]))


def begun(trials: list[FrozenTrial]) -> int:
    """Number of places that were begun."""
    return sum(PLACE not in trial.user_attrs and SURPLUS not in trial.user_attrs for trial in trials)


def latest(trials: list[FrozenTrial]) -> dict[int, FrozenTrial]:
    """The last trial of each place, by place; its state is that of the place."""
    found: dict[int, FrozenTrial] = {}
    fresh = 0
    for trial in trials:
        if SURPLUS in trial.user_attrs:
            continue
        inherited = trial.user_attrs.get(PLACE)
        found[fresh if inherited is None else inherited] = trial
        fresh += inherited is None
    return dict(sorted(found.items()))


def finished(trials: list[FrozenTrial]) -> int:
    """Places that need no further trial; a place whose workers all died counts, so that it ends too."""
    return sum(trial.state.is_finished() for trial in latest(trials).values())


def running(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that some worker has, or had when it died."""
    return [trial for trial in trials if trial.state == TrialState.RUNNING]


def wanted(trials: list[FrozenTrial], total: int) -> bool:
    """Whether there is a trial to begin: one to be tried again, or a place not yet begun."""
    return begun(trials) < total or any(trial.state == TrialState.WAITING for trial in trials)
