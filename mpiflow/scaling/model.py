"""The cost model beside the measurement: its efficiency, its error, and what it says of up to 1024 GPUs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mpiflow.config import Config
from mpiflow.methods import registry
from mpiflow.plan.costs import changed
from mpiflow.plan.machine import Machine, load
from mpiflow.scaling import runs
from mpiflow.scaling.measured import Point, efficiency

#: An H200, whose float32 ReLU kernel and step were measured (tests/benchmarks/RESULTS.md); what jets and sections take of a
#: core is taken as a hundredth of it, and the 25 GB/s between nodes are on paper.
GPU = Machine(
    origin="an H200, its kernels measured, its network on paper",
    entry=1.44e-12,
    paired=1.24e-12,
    stored=1.1e-12,
    filled=1.5e-12,
    point=8e-8,
    latency=1.5e-5,
    byte=4e-11,
    flop=3e-14,
    read=3e-13,
    product=4e-11,
)
GPUS = tuple(2**k for k in range(11))


@dataclass(frozen=True)
class Prediction:
    """Predicted efficiency of each measured point; error: largest relative one of the times; gpus: efficiency on 1..1024.

    weak: whether the work on each GPU stays that of the first point, as in a study whose points grow with its ranks.
    """

    efficiency: list[float]
    error: float
    gpus: dict[int, float]
    weak: bool
    origin: str


def predicted(points: list[Point]) -> Prediction:
    """The cost model, its work scaled to the time of the first point; what it says of the others is a prediction."""
    first = points[0]
    machine = _scaled(load(first.settings), first)
    times = [_step(point.settings, point.ranks, machine) for point in points]
    judged = [(p, t) for p, t in zip(points, times, strict=True) if not p.oversubscribed]
    errors = [abs(time / point.step - 1) for point, time in judged]
    modelled = [
        efficiency(replace(p, step=t), replace(first, step=times[0])) for p, t in zip(points, times, strict=True)
    ]
    weak = len({point.settings.points.train for point in points}) > 1
    return Prediction(modelled, max(errors, default=float("nan")), _on_gpus(first, weak), weak, machine.origin)


def _step(settings: Config, ranks: int, machine: Machine) -> float:
    """Seconds of a step without its look at the unseen points: a study looks at them once."""
    return sum(registry.of(settings).costs().Costs(settings, ranks).step(machine, look=False).values())


def _scaled(machine: Machine, first: Point) -> Machine:
    """The machine with the speed that the first point shows."""
    factor = first.step / _step(first.settings, first.ranks, machine)
    names = ("entry", "paired", "filled", "stored", "point", "flop", "read", "product")
    return replace(machine, **{name: getattr(machine, name) * factor for name in names})


def _on_gpus(first: Point, weak: bool) -> dict[int, float]:
    """Efficiency of the first point's run on 1 to 1024 GPUs, one rank each; weak: with its work on each of them."""
    settings = changed(first.settings, {"run.backend": "gpu", "engine.mode": first.settings.engine.mode.elsewhere})
    one, found = _step(settings, 1, GPU), {}
    for gpus in GPUS:
        time = _step(changed(settings, runs.grown(settings, gpus)) if weak else settings, gpus, GPU)
        found[gpus] = float(np.round(one / time if weak else one / (gpus * time), 4))
    return found
