"""[tune] of a run file: what is searched, for what, and how long."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from mpiflow.settings.problem import Seed
from mpiflow.settings.section import Count, Section
from mpiflow.tune.space import dimension


class Tune(Section):
    """[tune]: a study of so many trials that makes the objective on unseen points as good as it can be.

    every: steps between two looks at the unseen points, at which a trial that is worse than the median of those before
    it is given up where prune is true. seed: run.seed by default. space: keys of the run file, `"flow.dt" = [0.003, 3.0]`;
    two numbers are a range (of whole numbers, where both are; logarithmic where the low end is above 0), any other list is
    a choice; without it the usual keys of the kernel.
    """

    trials: Annotated[int, Field(ge=1, le=10**6)] = 40
    """Runs of a study."""
    objective: Literal["gain", "sigma"] = "gain"
    """What is made as good as it can be, on unseen points."""
    prune: bool = True
    """Whether a trial that is worse than the median of those before it is given up."""
    every: Count = 10
    """Steps between two looks, at which a trial may be given up."""
    seed: Seed | None = None
    """Of the study; without it run.seed. e.g. 1"""
    space: dict[str, list[Any]] | None = None
    """Keys with two numbers, a range, or a list, a choice; without it the usual keys of the kernel. e.g. {
    "flow.dt" = [0.003, 3.0] }"""

    @field_validator("space")
    @classmethod
    def _readable(cls, space):
        if space is not None and not space:
            raise ValueError(
                "space: there is no key in it to search; remove the table for the usual keys of the kernel"
            )
        for key, bounds in (space or {}).items():
            dimension(key, bounds)
        return space
