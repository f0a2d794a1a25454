"""How the flow runs: its steps, its engine, its states."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mpiflow.doors.door import Door
from mpiflow.functionals import Functional
from mpiflow.modes import MODES, Mode
from mpiflow.searches import Search
from mpiflow.settings.section import Count, Positive, Section

LOSSES = Door("flow.loss", "mpiflow.functionals.functional:Functional", "mpiflow.functionals")
SEARCHES = Door("flow.search", "mpiflow.searches.search:Search", "mpiflow.searches")


class Flow(Section):
    """[flow]: the discretised flow (HR 3.5)."""

    steps: Annotated[int, Field(ge=0, le=10**9)] = 50
    """Steps of the flow; of a network, epochs."""
    dt: Annotated[
        Positive,
        Field(
            description='the step is positive; with normalisation = "row" 0.03 is a good start for the Gaussian kernel'
        ),
    ]
    """Length of a step; of a network, the rate. [flow time] e.g. 0.03"""
    loss: Annotated[Functional, LOSSES, Field(validate_default=True)] = "log"
    """What is lowered"""
    search: Annotated[Search | None, SEARCHES] = None
    """How a step is taken; without it as is usual for what moves the metric e.g. "euler" """
    normalisation: Literal["sum", "mean", "row"] = "mean"
    """What a sum over sources is divided by: nothing, their number, or the sum of the kernel over them."""
    natural_gradient: bool = False
    """Take g (dl/dg) g in place of dl/dg."""
    kappa: Literal["fixed", "step"] | None = None
    """Whether kappa stays that of the start or is that of each step; without it as is usual for what moves the
    metric."""
    clip: Positive | None = None
    """Largest norm of the gradient at a point; without it there is none. e.g. 10.0"""
    coupling: Literal["none", "halo", "all"] = "none"
    """Whose gradients a point feels: of its cluster, of its cluster and a halo, or of all."""
    halo_tolerance: Annotated[Positive, Field(le=1)] = 1e-3
    """What share of a gradient a halo may miss."""
    test_every: Count = 1
    """Steps between two looks at the test points."""


class Engine(Section):
    """[engine]: how kernel sums are computed and in how much memory (GiB for each rank)."""

    mode: Annotated[Mode, MODES, Field(validate_default=True)] = "auto"
    """How kernel sums are made"""
    memory: Annotated[Positive, Field(le=1e9)] = 2.0
    """For what is kept between steps, on each rank. [GiB]"""


class Output(Section):
    """[output]: when states are committed, besides at the start and the end, and which are kept.

    By the clock, unless steps are asked for: a commit then costs the same share of any flow, however quick its steps.
    """

    every_steps: Count | None = None
    """Commit a state after so many steps, too. e.g. 10"""
    every_seconds: Positive | None = 600.0
    """Commit a state after so long. [s]"""
    keep: Count = 3
    """States that are kept, the newest ones."""
    keep_every: Count | None = None
    """Keep the states of steps that this divides as well. e.g. 100"""
