"""Gradient steps of finite networks beside the flow of the metric under the network's own kernel (HR 2.7, 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.measures import kappa_of
from mpiflow.paper import two_charts

if TYPE_CHECKING:
    from mpiflow.network.step import Step

#: Points and networks of steps; their lengths; a time, and steps to it; batches, and draws of each.
POINTS, UNITS = 40, 16
LENGTHS, UNTIL, STEPS = tuple(0.02 / 2**k for k in range(6)), 0.05, (16, 32, 64, 128)
BATCHES, BATCHED = (1, 4, 20), 400
KINDS = ("multiplicative", "additive", "potential", "independent")
#: Widths at which components mix, and networks of each.
MIXED, DRAWS = (16, 64, 256), 5


def steps(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """A step off the flow for as long: ("step", kind, dt, relative)."""
    for kind in KINDS:
        for dt, apart in zip(LENGTHS, _step(comm, kind, UNITS, seed).departures(list(LENGTHS)), strict=True):
            yield "step", kind, dt, apart


def courses(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """Steps to t = UNTIL off the flow: ("course", kind, dt, relative)."""
    for kind in KINDS:
        for count, apart in zip(STEPS, _step(comm, kind, UNITS, seed).ends(UNTIL, list(STEPS)), strict=True):
            yield "course", kind, UNTIL / count, apart


def noise(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """Scatter of a step on random batches over the step: ("noise", kind, batch, as drawn, exactly)."""
    for kind in KINDS[:3]:
        step = _step(comm, kind, UNITS, seed)
        for batch in BATCHES:
            yield "noise", kind, batch, *step.noise(batch, BATCHED, LENGTHS[-1] / 100, seed)


def mixing(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """Share of the kernel's blocks that mix components, mean over draws: ("mixing", kind, width, share)."""
    for kind in KINDS:
        for width in MIXED:
            each = [_step(comm, kind, width, seed * 100 + draw, 1.0).mixing() for draw in range(DRAWS)]
            yield "mixing", kind, width, float(np.mean(each))


def charts(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """A step in two charts: ("charts", flow, points, difference over the step)."""
    for name in two_charts.FLOWS:
        yield "charts", name, size, two_charts.difference(name, min(size, 300), seed)


def _step(comm: Comm, kind: str, width: int, seed: int, share: float = 0.5) -> Step:
    """A network of a kind on points of the quintic, with a share of the parameters that it begins with."""
    from mpiflow.methods import network
    from mpiflow.network.step import Step

    table = {
        "run": {"seed": seed},
        "points": {"train": POINTS, "test": 10},
        "network": {"kind": kind, "width": width, "depth": 2},
        "flow": {"dt": 1.0, "loss": "monge-ampere"},
    }
    config = check(table, "lazy")
    made = Flowing.begun(comm, config)
    goal, p = network.objective(config, made.surface), made.train.points
    kappa = kappa_of(made.train.layout, p, made.train.reference(made.surface))
    columns = goal.kind.columns(made.surface, p.z, p.chart) | {
        "volume": 1 / (kappa * goal.kind.density(made.surface, p))
    }
    columns.pop("lower", None)
    return Step(goal, share * goal.architecture.initial(seed, silent=False), columns)
