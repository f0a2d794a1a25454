"""The runs of a study: points by ranks, repeats in interleaved rounds, each in a folder of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from math import isqrt
from pathlib import Path

from mpiflow import config
from mpiflow.batch import supervise
from mpiflow.batch.order import Order
from mpiflow.batch.supervise import Supervisor
from mpiflow.config import Config
from mpiflow.errors import RESUBMIT, FlowError, InputError, Stopped
from mpiflow.state import naming, status

MODES = ("strong", "weak")


def point_keys(settings: Config, mode: str, ranks: int) -> tuple[str, ...]:
    """The changed keys of one point; weak scaling grows the work, and neither wants a look at unseen points in between."""
    # Unseen points are looked at once, at the end: a look costs as much as a step.
    keys = [f"flow.test_every={max(1, settings.flow.steps)}", "output.every_seconds=1e9"]
    keys.append(f"output.every_steps={max(1, settings.flow.steps)}")
    return (*keys, *(f"{key}={value}" for key, value in grown(settings, ranks).items() if mode == "weak"))


def grown(settings: Config, ranks: int) -> dict[str, int]:
    """The keys that give each of so many ranks the work of one.

    Without coupling both points and clusters grow with the ranks; with coupling = "all" the points grow with their root.
    Potentials and networks have no pairs and no clusters: their points grow with the ranks.
    """
    train = settings.points.train
    if settings.flow.coupling == "all":
        return {"points.train": isqrt(train**2 * ranks)}
    if not settings.moved_by.quadratic:
        return {"points.train": train * ranks}
    return {"points.train": train * ranks, "clusters.count": settings.clusters.count * ranks}


def measure(
    order: Order, mode: str, ranks: list[int], repeats: int, tell: Callable[[str], None], only: int | None = None
) -> None:
    """Run what is not there yet; order.output is the study's folder. only: the number of one point, for job arrays.

    Raises InputError for a mode, or a point that its run file does not allow, before any run is started.
    """
    if mode not in MODES:
        raise InputError(f"--mode {mode}: one of {', '.join(MODES)}")
    if repeats < 5:
        tell(f"{repeats} repeats: the spread of fewer than 5 says little")
    if only is not None and not 0 <= only < len(ranks):
        raise InputError(f"--only {only}: the points are 0 to {len(ranks) - 1}")
    settings = config.read(order.config, list(order.overrides))
    settings.on_points("mpiflow scaling")
    points = [replace(order, overrides=(*order.overrides, *point_keys(settings, mode, r))) for r in ranks]
    for point in points:
        config.read(point.config, list(point.overrides))
    stop = _Stop()
    with _status(order, repeats) as done:
        for repeat in range(repeats):
            for number, (point, r) in enumerate(zip(points, ranks, strict=True)):
                folder = order.output / f"{mode}-{r:05d}" / f"repeat-{repeat + 1}"
                if only in (None, number) and not _complete(folder, settings.flow.steps):
                    tell(f"{mode}, {r} ranks, repeat {repeat + 1} of {repeats}")
                    _run(replace(point, output=folder, quiet=True).resolved(), r, stop)
            done(repeat + 1)


@contextmanager
def _status(order: Order, repeats: int):
    """A function to call after each repeat; how this process stands is in status.json for whoever started it."""
    order.folder.mkdir(parents=True, exist_ok=True)
    count = 0

    def done(repeat: int) -> None:
        nonlocal count
        count = repeat
        status.report(order.folder, "running", count, repeats)

    try:
        done(0)
        yield done
    except FlowError as error:
        state = "stopped" if isinstance(error, Stopped) else "failed"
        status.report(order.folder, state, count, repeats, error.exit_code, str(error))
        raise
    status.report(order.folder, "done", count, repeats, 0, "")


def _complete(folder: Path, steps: int) -> bool:
    return any(step >= steps for step, _ in naming.states(folder))


class _Stop:
    """The wish of a signal to stop, which the present run hears, and each that comes after; heard from the first run on."""

    def __init__(self):
        self.asked, self.present = False, None

    def _hear(self, *_) -> None:
        self.asked = True
        if self.present:
            self.present.ask_to_stop()

    def watch(self, supervisor: Supervisor) -> None:
        """Have a supervisor hear it, also where it came before."""
        self.present = supervisor
        for number in (signal.SIGUSR1, signal.SIGTERM):
            signal.signal(number, self._hear)
        if self.asked:
            supervisor.ask_to_stop()


def _run(order: Order, ranks: int, stop: _Stop) -> None:
    if stop.asked:
        raise Stopped(f"{order.output}: stopped before this run; the study goes on from there")
    # mpiexec and srun both take -n, and inside a job use only so many of its tasks.
    supervisor = Supervisor([*supervise.launcher(), "-n", str(ranks)], order, True)
    stop.watch(supervisor)
    supervisor.start()
    code = supervisor.wait()
    if code == RESUBMIT:
        raise Stopped(f"{order.output}: stopped; the study goes on from there")
    if code:
        raise FlowError(
            f"{order.output}: the run on {ranks} ranks ended with exit code {code}; the study goes on from there"
        )
