"""How the flow runs: its steps, its engine, its states."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mpiflow.doors.door import Door
from mpiflow.functionals import Functional
from mpiflow.searches import Search
from mpiflow.settings.section import Count, Positive, Section

LOSSES = Door("flow.loss", "mpiflow.functionals.functional:Functional", "mpiflow.functionals")
SEARCHES = Door("flow.search", "mpiflow.searches.search:Search", "mpiflow.searches")


class Flow(Section):
    """[flow]: the discretised flow (HR 3.5)."""

    steps: Annotated[int, Field(ge=0, le=10**9)] = 50
    dt: Annotated[
        Positive,
        Field(
            description='the step is positive; with normalisation = "row" 0.03 is a good start for the Gaussian kernel'
        ),
    ]
    loss: Annotated[Functional, LOSSES, Field(validate_default=True)] = "log"
    search: Annotated[Search | None, SEARCHES] = None
    normalisation: Literal["sum", "mean", "row"] = "mean"
    natural_gradient: bool = False
    kappa: Literal["fixed", "step"] | None = None
    clip: Positive | None = None
    coupling: Literal["none", "halo", "all"] = "none"
    halo_tolerance: Annotated[Positive, Field(le=1)] = 1e-3
    test_every: Count = 1


class Engine(Section):
    """[engine]: how kernel sums are computed and in how much memory (GiB for each rank)."""

    mode: Literal["auto", "resident", "streamed", "symmetric", "neighbours"] = "auto"
    memory: Annotated[Positive, Field(le=1e9)] = 2.0


class Output(Section):
    """[output]: when states are committed, besides at the start and the end, and which are kept.

    By the clock, unless steps are asked for: a commit then costs the same share of any flow, however quick its steps.
    """

    every_steps: Count | None = None
    every_seconds: Positive | None = 600.0
    keep: Count = 3
    keep_every: Count | None = None
