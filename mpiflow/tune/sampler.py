"""Optuna's tree-structured Parzen estimator, drawing for each place of a study from a stream of its own."""

from __future__ import annotations

from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial

from mpiflow import streams
from mpiflow.tune.places import place


class PlaceSampler(BaseSampler):
    """The same seed and the same trials before give the same next trial, in one process or after any restart.

    first: values of keys at the first place, the others are drawn there too: a study begins where its run file is.
    """

    def __init__(self, seed: int, first: dict[str, Any]):
        self.seed, self.first = seed, first
        self._given: dict[str, Any] = {}
        self._inner = TPESampler(seed=seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin the stream of this trial's place; the seed of its points is another one."""
        where = place(study.get_trials(deepcopy=False), trial.number)
        self._given = self.first if where == 0 else {}
        self._inner = TPESampler(seed=streams.study(self.seed + 1, where) % 2**32)
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Of the inner sampler."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Of the inner sampler."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Of the inner sampler, or the value that is given."""
        if param_name in self._given:
            return self._given[param_name]
        return self._inner.sample_independent(study, trial, param_name, param_distribution)
