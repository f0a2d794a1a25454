"""Memory that one rank does not get, in the middle of the work: one line, exit code 2, every state before it intact."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import driver
import pytest

from mpiflow.state import load

#: Large enough that clustering, kernels, steps and states all ask for more than 1 MiB at a time.
POINTS = (2000, 700, 1000) if driver.FULL else (800, 240, 400)
JOB = driver.JOB.replace("train = 96", f"train = {POINTS[0]}").replace("test = 64", f"test = {POINTS[1]}")
JOB = JOB.replace("batch = 48", f"batch = {POINTS[2]}").replace(f"steps = {driver.STEPS}", "steps = 2")
#: The rank, and whether all later ones fail too. Without a full campaign: one of them, half-way.
CASES = [(0, ""), (1, ""), (0, "stays"), (1, "stays")] if driver.FULL else [(1, "")]
HALF_WAY = 0.5
#: In a full campaign every so many runs are resumed to their end; test_stops.py and test_kills.py always do.
RESUMED = 4


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory):
    """The library that makes allocations fail."""
    if not shutil.which("gcc"):
        pytest.skip("no C compiler to make the failing allocator with")
    library = tmp_path_factory.mktemp("preload") / "liballocation.so"
    source = Path(__file__).with_name("allocation.c")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def large(preloaded, tmp_path_factory):
    """The run file of these runs, its numbers where nothing fails, and how many allocations each rank makes at least."""
    path = tmp_path_factory.mktemp("large") / "job.toml"
    path.write_text(JOB)
    if not driver.FULL:
        return path, {}, {1: 16}
    with pytest.MonkeyPatch.context() as patch:
        code, text = hurt(patch, preloaded, path, path.with_name("whole"), "0 0")
    assert code == 0, text
    counts = {int(rank): int(count) for rank, count in re.findall(r"allocations of rank (\d+): (\d+)", text)}
    return path, driver.numbers(path.with_name("whole")), counts


def hurt(monkeypatch, preloaded, job, folder, fault):
    """One start with a planned fault: its exit code and what it printed."""
    with monkeypatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(preloaded))
        run = driver.Run(job, folder, fault=f"allocation {fault}")
        return run.wait(), run.text()


#: After `prevent`, or as its own first allocation fails.
PREVENTED = """
import ctypes, numpy as np
from scipy.linalg import blas
from mpiflow.ranks import shortage
fault, (a, b, c) = ctypes.CDLL(None), np.zeros((3, 300, 300))
fault.fault_arm(1, 1)
try:
    shortage.prevent()
    print("not refused")
except MemoryError:
    fault.fault_arm(-1, 0)
shortage.prevent()
fault.fault_arm(0, 0)
np.matmul(a, b, out=c), blas.dgemm(1.0, a.T, b.T, c=c.T, overwrite_c=1)
print(fault.fault_seen(), "more")
"""


def test_the_memory_of_openblas_is_taken_first_and_its_lack_is_told(preloaded):
    env = os.environ | {"LD_PRELOAD": str(preloaded), "OPENBLAS_NUM_THREADS": "1"}
    told = subprocess.run([sys.executable, "-P", "-c", PREVENTED], capture_output=True, text=True, env=env, timeout=60)
    assert told.stdout == "0 more\n", told


def outcome(code, text):
    """What became of a run: each is right, anything else is not."""
    # Python does without what it was refused; what comes last is what the process did not survive.
    asked = re.findall(r"planned fault: \d+ bytes for (.*)", text)
    if code == 0:
        return "not needed: done"
    told = [line for line in text.splitlines() if line.startswith("mpiflow: error:")]
    if code == 2 and len(told) == 1 and "engine.memory" in told[0] and "Traceback" not in text:
        return "one line, exit code 2, old states intact"
    # MPI's own C code, in the middle of a collective, does not pass every lack of memory on: it ends the process, and the
    # launcher the others. No caller can mend that, nor give it what it takes beforehand, for its size is that of a message.
    if asked and "libmpi" in asked[-1]:
        return "inside the C code of MPI, which tells nobody: the job is killed, old states intact"
    raise AssertionError(f"exit code {code}:\n{text}")


@pytest.mark.parametrize("rank, how", CASES)
def test_any_large_allocation_may_fail(preloaded, large, tmp_path, monkeypatch, full, row, rank, how):
    job, whole, counts = large
    assert counts[rank] > 10
    # What fails for good fails as what fails once does, and ends sooner.
    every = range(1, counts[rank] + 1, 6 if how else 1)
    for n in every if full else [round(HALF_WAY * counts[rank])]:
        folder = tmp_path / f"run-{n}"
        code, text = hurt(monkeypatch, preloaded, job, folder, f"{rank} {n} {how}")
        became = outcome(code, text)
        assert "planned fault" in text
        assert all(sound for _, sound, _ in load.verify(folder))
        if full and n % RESUMED == 0:
            resumed = driver.Run(job, folder)
            assert resumed.wait() == 0, resumed.text()
            assert driver.numbers(folder) == whole
            row("failing allocation", "of these runs, resumed", "bit-identical")
        row(
            "failing allocation",
            f"the Nth of at least 1 MiB on rank {rank}, {how and 'and all after it' or 'once'}",
            became,
        )
        shutil.rmtree(folder)
