"""Too little memory, too few machines, too little time: each told in one line with the cure."""

from __future__ import annotations

import time

import numpy as np
import pytest
from facts import telling, tells
from inside import mpiflow as inside
from inside import refused

from jobs import mpiflow, small
from mpiflow import backend
from mpiflow.comm import Comm
from mpiflow.config import read
from mpiflow.errors import InputError
from mpiflow.job import triggers
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine
from mpiflow.plan.report import facts
from mpiflow.ranks import shortage
from mpiflow.state import atomic


class ErrorOfJax(RuntimeError):
    pass


#: What libraries raise where they get no memory, and facts of it in the line that is made of it.
SHORTAGES = [
    ("numpy", lambda: np.empty((2**24, 2**30)), "1.34e+08 GiB"),
    ("numpy, more than any address", lambda: np.arange(10**20), "points.test"),
    ("bytes", lambda: bytearray(2**62), "points.test"),
    ("cupy", MemoryError("Out of memory allocating 1,048,576 bytes (allocated so far: 0 bytes)."), "1 MiB"),
    ("jax", ErrorOfJax("RESOURCE_EXHAUSTED: Out of memory allocating 2147483648 bytes."), "2 GiB"),
    ("jax on a GPU", ErrorOfJax("RESOURCE_EXHAUSTED: Failed to allocate 1.50GiB for new constant"), "1.5 GiB"),
    ("MPI", ErrorOfJax("Other MPI error, error stack:\nOut of memory (unable to allocate a 'tmp_buf')"), "tmp_buf"),
    ("HDF5", OSError("Can't write data (memory allocation failed for type conversion)"), "type conversion"),
    ("numba", MemoryError("Allocation failed (probably too large)."), "probably too large"),
    ("a thread", RuntimeError("can't start new thread"), "new thread"),
    ("the system", OSError(12, "Cannot allocate memory"), "Cannot allocate memory"),
    ("C++", RuntimeError("std::bad_alloc"), "bad_alloc"),
]


@pytest.mark.parametrize("made, fact", [row[1:] for row in SHORTAGES], ids=[row[0] for row in SHORTAGES])
def test_a_lack_of_memory_is_known_in_every_form(made, fact):
    error = made
    if callable(made):
        with pytest.raises((MemoryError, ValueError)) as met:
            made()
        error = met.value
    told = str(shortage.of(error, 1, 4))
    tells(told, "rank 1 of 4", "points.train", "engine.memory", "mpiflow plan")
    assert fact in told


def test_other_errors_are_no_lack_of_memory():
    others = [
        ValueError("no space"),
        OSError(28, "No space left on device"),
        InputError("out of memory"),
        KeyError("x"),
    ]
    assert [shortage.of(error, 0, 1) for error in others] == [None] * 4


def test_a_lack_of_memory_of_a_gpu_tells_what_it_has(monkeypatch):
    monkeypatch.setattr(backend, "free", lambda: 3 << 30)
    cupys = type("OutOfMemoryError", (MemoryError,), {"__module__": "cupy.cuda.memory"})
    error = cupys("Out of memory allocating 40,041,984,000 bytes (allocated so far: 1,024 bytes).")
    told = str(shortage.of(error, 1, 4))
    tells(told, "37.3 GiB", "3 GiB", "engine.memory")


def test_a_lack_of_memory_behind_another_error_is_found():
    try:
        try:
            raise MemoryError
        except MemoryError:
            raise KeyError("cache") from None
    except KeyError as error:
        tells(str(shortage.of(error, 0, 1)), "rank 0 of 1", "engine.memory")


#: On rank 1 alone: memory is short, as Python to be run when the interpreter starts.
LIMITED = """
import os
if os.environ.get("PMI_RANK") == "1":
    import mpiflow.losses, resource
    import numpy as np
    def big(*rest):
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
        return np.ones(2**31)
    mpiflow.losses.slope = big
"""


def test_one_rank_without_memory_ends_all_with_one_line(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(LIMITED)
    env = {"PYTHONPATH": str(tmp_path)}
    done = mpiflow("run", small(tmp_path), "-q", "-o", tmp_path / "run", ranks=2, timeout=60, env=env)
    refused(done, "rank 1 of 2", "16 GiB", "points.train")


def test_a_lack_of_memory_in_the_thread_of_the_writer_is_told_in_one_line(tmp_path, monkeypatch):
    def none(*_):
        raise MemoryError

    monkeypatch.setattr(atomic, "put", none)
    small(tmp_path)
    refused(inside("run small.toml -o run -q", tmp_path), "rank 0 of 1", "points.train", "engine.memory")


INF, NAN = float("inf"), float("nan")
#: node, ranks on it, GPUs, GiB of one, ranks, and facts in the refusal.
LIMITS = [
    (0, 1, 0, 80, 1, "--memory = 0"),
    (NAN, 1, 0, 80, 1, "--memory = nan"),
    (INF, 1, 0, 80, 1, "--memory = inf"),
    (-64, 1, 0, 80, 1, "--memory = -64"),
    (64, 0, 0, 80, 1, "--ranks-per-node = 0", "100,000,000"),
    (64, -1, 0, 80, 1, "--ranks-per-node = -1"),
    (64, 1, -1, 80, 1, "--gpus = -1", "100,000,000"),
    (64, 1, 1, 0, 1, "--gpu-memory = 0"),
    (64, 1, 1, NAN, 1, "--gpu-memory = nan"),
    (64, 1, 1, INF, 1, "--gpu-memory = inf"),
    (64, 1, 1, -80, 1, "--gpu-memory = -80"),
    (64, 1, 4, 80, 1, "--gpus 4", 3, "--ranks 4", "--gpus 1"),
    (64, 2, 9, 80, 2, "--gpus 9", "2 ranks", "--ranks 9"),
    (64, 1, 2, 80, 4, "--gpus 2", "4 nodes", "--gpus 4", "--ranks-per-node"),
    (64, 1, 0, 80, 0, "--ranks = 0", "100,000,000"),
    (64, 1, 0, 80, -2, "--ranks = -2"),
    (64, 1, 0, 80, 10**12, "--ranks = 1000000000000"),
]


@pytest.mark.parametrize("node, on_it, gpus, gpu, ranks, facts_", [(*row[:5], row[5:]) for row in LIMITS])
def test_a_plan_for_no_machine_is_refused(tmp_path, node, on_it, gpus, gpu, ranks, facts_):
    with telling(InputError, *facts_):
        facts(read(small(tmp_path), []), tmp_path, ranks, Limits(node, on_it, gpus, gpu), Machine())


@pytest.mark.parametrize(
    "ranks, on_it, gpus, words",
    [
        (4, 4, 4, "--gpus-per-node=4 --gpu-bind=none"),
        (4, 4, 2, "--gpus-per-node=2"),
        (4, 2, 2, "--gpus-per-node=1"),
        (4, 4, 0, "-N1"),
    ],
)
def test_a_plan_asks_slurm_for_the_gpus_that_its_ranks_use(tmp_path, ranks, on_it, gpus, words):
    found = facts(read(small(tmp_path), ["clusters.count=1"]), tmp_path, ranks, Limits(64, on_it, gpus, 80), Machine())
    assert words in found["sbatch"] and ("gpus" in found["sbatch"]) == bool(gpus)
    if gpus:
        config = read(small(tmp_path), ["clusters.count=1"])
        alone = facts(config, tmp_path, ranks, Limits(64, on_it, ranks, 80), Machine())
        assert found["gpu_bytes"] == alone["gpu_bytes"] * ranks // gpus


def test_no_memory_is_not_all_memory(tmp_path):
    small(tmp_path)
    refused(inside("plan small.toml --memory 0", tmp_path), "--memory = 0")


#: Seconds that starting took and that a step takes (None: not known; "new": a new run), the limit, and what is said.
CLOCKS = [
    ("a new run, hardly started", 3.0, "new", 4.0, ("3 s", "--max-time")),
    ("a step that is longer than the limit", 1.0, 50.0, 20.0, ("50 s", "--max-time 203")),
    ("the limit is over", 9.0, 0.1, 5.0, ("9 s", "0.1 s", "--max-time")),
    ("a long start and a short step", 9.0, 0.1, 10.0, None),
    ("a long start, and no step yet by any start", 9.0, None, 10.0, None),
    ("enough", 3.0, "new", 1000.0, None),
]


@pytest.mark.parametrize("start, step, limit, told", [row[1:] for row in CLOCKS], ids=[row[0] for row in CLOCKS])
def test_too_little_time_for_a_step_is_told_with_the_cure(monkeypatch, tmp_path, start, step, limit, told):
    now = [100.0]
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(triggers, "_born", 100.0)
    wishes = triggers.Triggers(Comm(), tmp_path, limit)
    now[0] += start
    if step != "new":
        wishes.expect(step)
    assert bool(wishes.decide(0, 0.0).stop) == bool(told)
    assert all(fact in wishes.standstill(0.0) for fact in told or ())


def test_a_run_without_progress_says_so(tmp_path):
    small(tmp_path)
    for _ in range(2):
        done = inside("run small.toml -o run --max-time 0.01", tmp_path)
        assert done.returncode == 75 and "--max-time" in done.stdout


def test_a_study_without_progress_says_so(tmp_path):
    pytest.importorskip("optuna")
    small(tmp_path)
    done = inside("tune small.toml -o study --max-time 0.01", tmp_path)
    assert done.returncode == 75 and "--max-time" in done.stdout, done.stderr


def test_the_line_to_submit_has_what_the_plan_was_changed_by_and_is_not_broken(tmp_path):
    small(tmp_path)
    done = inside(["plan", "small.toml", "--set", "points.train=90", "--set", 'run.name="a b"'], tmp_path)
    line = next(line for line in done.stdout.splitlines() if "sbatch" in line)
    assert line.endswith("""slurm/flow.sbatch small.toml --set points.train=90 --set 'run.name="a b"'"""), line
