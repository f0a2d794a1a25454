"""Stopped and resumed: at every step, by every trigger, on any rank count, the run stays the same run."""

from __future__ import annotations

import os
import shutil
import signal

import driver
import pytest
from driver import FULL

from mpiflow.comm import Comm
from mpiflow.config import read
from mpiflow.errors import RESUBMIT
from mpiflow.job.job import run
from mpiflow.screen import Screen
from mpiflow.state import status


def started(job, folder) -> int:
    """The exit code of one start in this process."""
    return run(Comm(), read(job), folder, Screen(quiet=True))


def test_stopped_and_resumed_at_every_step(job, unhurt, tmp_path, row):
    folder = tmp_path / "run"
    folder.mkdir()
    for step in range(driver.STEPS):
        (folder / "STOP").write_text(str(step))
        assert started(job, folder) == RESUBMIT
        assert driver.step(folder) == step == status.read(folder)["step"]
    assert started(job, folder) == 0
    assert driver.numbers(folder) == unhurt
    row("stop and resume at every step", "one rank, held against two", "bit-identical", driver.STEPS)


@pytest.mark.skipif(not FULL, reason="tests/restart does a sample of it")
def test_stopped_on_some_ranks_resumed_on_others(job, unhurt, tmp_path, row):
    for before in (1, 2, 3, 4):
        stopped = tmp_path / f"stopped-{before}"
        stopped.mkdir()
        (stopped / "STOP").write_text("20")
        assert driver.Run(job, stopped, ranks=before).wait() == RESUBMIT
        for after in (1, 2, 3, 4):
            folder = tmp_path / f"{before}-{after}"
            shutil.copytree(stopped, folder)
            driver.finish(job, folder, ranks=after)
            assert driver.numbers(folder) == unhurt
    row("other rank count", "stopped on a ranks, resumed on b, of 1 to 4", "bit-identical", 16)


def ask(start: driver.Run, how: str) -> None:
    """Ask a running job to stop."""
    if how == "STOP file":
        (start.folder / "STOP").touch()
        return
    name, target = how.split(" to ")
    pids = {"mpiexec": [start.process.pid], "rank 0": start.ranks()[:1], "rank 1": start.ranks()[1:2]}
    for pid in pids.get(target, start.ranks()):
        os.kill(pid, signal.Signals[name])


WAYS = [
    "SIGTERM to mpiexec",
    "SIGUSR1 to mpiexec",
    "SIGINT to mpiexec",
    "SIGTERM to rank 0",
    "SIGTERM to rank 1",
    "SIGUSR1 to rank 1",
    "SIGUSR2 to rank 0",
    "SIGTERM to all",
    "STOP file",
]

#: A second Ctrl-C is how a user tells MPICH's mpiexec to kill the job, and it does.
ONCE = ("STOP file", "SIGINT to mpiexec")


def test_asked_to_stop_at_random_and_resumed(job, unhurt, tmp_path, full, row):
    rng = driver.chance(21)
    ways = WAYS * 3 if full else ["SIGTERM to mpiexec", "SIGUSR1 to rank 1"]
    stops = twice = finished = 0
    folder = tmp_path / "run-0"
    for way in ways:
        start = driver.Run(job, folder)
        first = driver.newest(folder)
        later = first + int(rng.integers(1, 6))
        # In full some come early: while the ranks import, sample and cluster.
        early = rng.random() < 0.3
        moment = start.later(rng.uniform(0.0, 4.0)) if early else lambda: driver.newest(folder) >= later  # noqa: B023
        if start.until(start.has_handlers) and start.until(moment):
            ask(start, way)
            if way not in ONCE and rng.random() < 0.7 and start.until(start.saving):
                ask(start, way)
                twice += 1
        code = start.wait()
        assert code in (0, RESUBMIT), f"{way}: {code}\n{start.text()}"
        # Before the first step one rank may hear of it alone, and only rank 0 writes how the run stands.
        told = status.read(folder) or {"exit_code": None}
        assert told["exit_code"] == code or (early and told["exit_code"] is None)
        assert driver.gone(start.spawned)
        stops += code == RESUBMIT
        if code == 0:
            assert driver.numbers(folder) == unhurt
            finished += 1
            folder = tmp_path / f"run-{finished}"
    (folder / "STOP").unlink(missing_ok=True)
    driver.finish(job, folder)
    assert driver.numbers(folder) == unhurt
    assert stops >= len(ways) // 2
    row("signals", "TERM, USR1, USR2, INT, STOP to mpiexec or ranks", "exit 75; resumed, bit-identical", stops)
    row("signals", "of these, again while saving", "the same", twice)
    row("signals", "that came after the last step", "exit 0, done", len(ways) - stops)


def test_time_limits(job, unhurt, tmp_path, full, row):
    folder = tmp_path / "run"
    folder.mkdir()
    stops = 0
    for limit in (0.1, 3.0, 4.0, 5.0, 6.0, 7.0) if full else (0.1,):
        start = driver.Run(job, folder, "--max-time", str(limit))
        code = start.wait()
        assert code in (0, RESUBMIT), start.text()
        stops += code == RESUBMIT
    driver.finish(job, folder)
    assert stops
    assert driver.numbers(folder) == unhurt
    row("time limit", "--max-time of 0.1 to 7 s", "exit 75; resumed, bit-identical", stops)
