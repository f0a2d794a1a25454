"""A parallel test that fails, crashes or hangs on one rank fails, says which rank, and leaves the others unharmed."""

import subprocess
import sys
from pathlib import Path

import pytest

from mpiflow.comm import world

TESTS = Path(__file__).parents[1]

BAD = """
import os, time
import pytest
from mpiflow.comm import world

@pytest.mark.parallel([2])
def test_fails():
    assert world().rank == 0, "only rank zero is right"
    world().barrier()

@pytest.mark.parallel([2])
def test_crashes():
    if world().rank:
        os._exit(3)
    world().barrier()

@pytest.mark.parallel([2], timeout=2)
def test_hangs():
    if world().rank:
        world().barrier()

@pytest.mark.parallel([2])
def test_good():
    assert world().size == 2
"""


@pytest.mark.parallel([1, 2, 3])
def test_runs_on_the_ranks_it_names(ranks, shared_path):
    comm = world()
    assert comm.size == ranks
    assert comm.allgather(str(shared_path)) == [str(shared_path)] * ranks


def test_names_the_rank_that_failed(tmp_path):
    (tmp_path / "test_bad.py").write_text(BAD)
    command = [sys.executable, "-m", "pytest", "-p", "parallel_plugin", "-c", TESTS.parent / "setup.cfg", tmp_path]
    done = subprocess.run(
        [*command, "--rootdir", tmp_path, "-p", "no:cacheprovider"],
        cwd=TESTS,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TESTS), "PYTEST_ADDOPTS": "-p parallel_plugin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "3 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "rank 1 of 2:" in done.stdout and "only rank zero is right" in done.stdout
    assert done.stdout.count("crashed or hung in this test") == 2
    assert "in barrier" in done.stdout
