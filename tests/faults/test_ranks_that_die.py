"""One rank that dies or raises ends the whole job soon, loudly, and with nothing lost."""

from __future__ import annotations

import os
import re
import time

import driver
import pytest
from driver import FULL

from mpiflow.errors import RESUBMIT
from mpiflow.ranks.segments import remove_stale

STAGES = ["sample and cluster", "build", "flow", "test", "save", "evaluate"]
SAMPLE = [("kill", 1, "flow"), ("raise", 1, "sample and cluster")]
ALL = [(how, rank, stage) for stage in STAGES for rank in (0, 1) for how in ("kill", "raise")]


@pytest.mark.parametrize("how, rank, stage", ALL if FULL else SAMPLE)
def test_a_rank_that_fails_ends_the_job(job, tmp_path, how, rank, stage, row):
    start = driver.Run(job, tmp_path / "run", fault=f"{how} {rank} {stage}")
    start.until(lambda: "planned fault" in start.text())
    struck = time.monotonic()
    start.ranks()
    code = start.wait(30)
    seconds = time.monotonic() - struck
    assert code not in (0, RESUBMIT) and seconds < 10, start.text()
    assert driver.gone(start.spawned)
    if how == "raise":
        assert f"rank {rank} of 2" in start.text()
        assert "Traceback" in start.text() and f"planned fault in {stage}" in start.text()
    else:
        # mpiexec tells the process, the log whose it was.
        pid = re.search(r"PID (\d+) RUNNING", start.text())[1]
        log = (tmp_path / "run" / "log" / "rank-0000.log").read_text()
        processes = re.search(r"processes of the ranks: (.*)", log)[1].split(", ")
        assert processes[rank].startswith(f"{pid} on ")
    what = {"kill": "SIGKILL", "raise": "exception"}[how]
    row("one rank dies or raises", f"{what} in a stage", "ended within 10 s, exit code not 0, rank and cause named")


@pytest.mark.skipif(not FULL, reason="test_kills.py kills one")
def test_no_rank_outlives_its_launcher(job, unhurt, tmp_path, row):
    rng = driver.chance(31)
    folder = tmp_path / "run"
    for _ in range(10):
        start = driver.Run(job, folder)
        goal = driver.newest(folder) + int(rng.integers(1, 4))
        if start.until(lambda: driver.newest(folder) >= goal):  # noqa: B023
            start.ranks()
            start.kill("launcher")
        start.wait()
        assert driver.gone(start.spawned)
    driver.finish(job, folder)
    assert driver.numbers(folder) == unhurt
    row("launcher killed", "SIGKILL to mpiexec", "no rank left; resumed, bit-identical", 10)


def test_the_next_start_removes_stale_segments(job, tmp_path, row):
    start = driver.Run(job, tmp_path / "run")
    start.until(lambda: driver.newest(tmp_path / "run") >= 1)
    left = {path for pid in start.ranks() for path in driver.segments(pid)}
    start.kill("all")
    start.wait()
    assert left and all(path.exists() for path in left)
    assert not left & set(remove_stale()), "a fresh segment was taken for stale"
    for path in left:
        os.utime(path, (time.time() - 100,) * 2)
    refused = driver.Run(tmp_path / "absent.toml", tmp_path / "other")
    assert refused.wait() == 2
    assert not any(path.exists() for path in left)
    row("stale segments", "all ranks killed, then another start", "removed", len(left))
