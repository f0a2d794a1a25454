"""Measurements out of run folders, and what a set of them says: medians, spread, efficiency."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.belief.loader import latest, opened
from mpiflow.config import Config
from mpiflow.errors import InputError

#: Stages in the order of a run, as they are shown; the datasets timing/... of a state that they come from.
STAGES = {
    "sample": "sample",
    "cluster": "cluster",
    "merge": "merge",
    "build": "build",
    "flow": "flow",
    "exchange": "exchange_of_v",
    "kernel": "kernel",
    "allreduce": "allreduce",
    "checkpoint": "save",
}


@dataclass(frozen=True)
class Measurement:
    """One run. seconds: of each of STAGES on the slowest rank, NaN where it was not measured; steps: those they cover."""

    folder: Path
    settings: Config
    ranks: int
    cores: int
    steps: int
    entries: float
    seconds: dict[str, float]

    @property
    def oversubscribed(self) -> bool:
        """Whether ranks shared cores: such a time says nothing of scaling."""
        return self.ranks > self.cores

    @property
    def step(self) -> float:
        """Seconds of one step of the flow."""
        return self.seconds["flow"] / max(1, self.steps)


def found(folders: Iterable[Path]) -> list[Measurement]:
    """The measurements of all run folders in and under these. Raises InputError where there is none."""
    runs = sorted({path.parent for folder in folders for path in Path(folder).rglob("state-*.h5")})
    measurements = [measurement for run in runs if (measurement := _measured(run))]
    if not measurements:
        raise InputError(
            f"{', '.join(map(str, folders))}: no run with measured steps in it; give a study or run folders"
        )
    return measurements


def _measured(folder: Path) -> Measurement | None:
    state = latest(folder, lambda text: None)
    if state is None:
        return None
    start = json.loads(state.attributes["provenance"])[-1]
    steps = state.step - (start["resumed_from"] or 0)
    if steps <= 0:
        return None
    settings = opened(state)
    settings.on_points(f"{folder}")
    timing = {name: state.arrays.get(f"timing/{dataset}") for name, dataset in STAGES.items()}
    return Measurement(
        folder=folder,
        settings=settings,
        ranks=int(state.attributes["ranks"]),
        cores=start.get("cores", 0),
        steps=steps,
        entries=_work(settings, state.arrays["clusters/size"].astype(float)),
        seconds={name: float("nan") if t is None else float(np.max(t)) for name, t in timing.items()},
    )


def _work(settings: Config, sizes: np.ndarray) -> float:
    """Kernel entries of a step; without a kernel of pairs, as of potentials and networks, train points."""
    train = float(settings.points.train)
    if not settings.moved_by.quadratic:
        return train
    return train**2 if settings.flow.coupling == "all" else float((sizes**2).sum())


@dataclass(frozen=True)
class Point:
    """All repeats on one number of ranks: seconds of a step (median, least, largest), medians of the stages."""

    ranks: int
    repeats: int
    oversubscribed: bool
    step: float
    least: float
    largest: float
    entries: float
    stages: dict[str, float]
    settings: Config


def points(measurements: list[Measurement]) -> list[Point]:
    """The measurements by number of ranks, ascending."""
    by_ranks: dict[int, list[Measurement]] = {}
    for measurement in measurements:
        by_ranks.setdefault(measurement.ranks, []).append(measurement)
    return [_point(ranks, group) for ranks, group in sorted(by_ranks.items())]


def _point(ranks: int, group: list[Measurement]) -> Point:
    steps = [m.step for m in group]
    stages = {name: float(np.median([m.seconds[name] for m in group])) for name in STAGES}
    oversubscribed = any(m.oversubscribed for m in group)
    median, entries = float(np.median(steps)), float(np.median([m.entries for m in group]))
    return Point(ranks, len(group), oversubscribed, median, min(steps), max(steps), entries, stages, group[0].settings)


def efficiency(point: Point, first: Point) -> float:
    """Work a rank and second, over that of the first point; NaN where ranks shared cores.

    In strong scaling the work is the same and this is T_1 R_1 / (T R); in weak scaling about T_1 / T.
    """
    if point.oversubscribed or first.oversubscribed:
        return float("nan")
    return point.entries / (point.step * point.ranks) / (first.entries / (first.step * first.ranks))
