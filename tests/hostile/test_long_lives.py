"""What runs of many days and many machines meet: other versions, too little memory or time, any point, odd numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mpiflow as package
from jobs import mpiflow, small
from mpiflow import measures, sampling
from mpiflow.comm import Comm
from mpiflow.config import read
from mpiflow.errors import InputError
from mpiflow.job import triggers
from mpiflow.job.evaluate import plain
from mpiflow.job.job import run
from mpiflow.job.report import curvature_lines
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine
from mpiflow.plan.report import facts
from mpiflow.ranks import alike, launcher, shortage
from mpiflow.screen import Screen
from mpiflow.state import provenance


class Ranks(Comm):
    """One rank that hears of others what a test says they have."""

    def __init__(self, heard: list):
        super().__init__()
        self.heard, self.size = heard, len(heard)

    def allgather(self, item):
        return self.heard


def refused(done, *words):
    """One line, exit code 2, these words in it."""
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Abort(")]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], f"{word}: {lines[0]}"


OTHERS = [
    ("another version", [("1.0", "a" * 40), ("0.9", "a" * 40)], "1.0 (commit aaaaaaaaaaaa) on rank 0, 0.9"),
    ("another commit", [("1.0", "a" * 40), ("1.0", "b" * 40)], "on rank 0, 1.0 (commit bbbbbbbbbbbb) on rank 1"),
    ("changed files", [("1.0", "a" * 40), ("1.0", "a" * 40 + "+")], "with changes) on rank 1"),
    ("one of three without git", [("1.0", "a" * 40), ("1.0", ""), ("1.0", "b" * 40)], "1.0 on rank 1"),
    ("many", [("1.0", "")] * 3 + [("2.0", "")] * 2 + [("1.0", "")], "1.0 on ranks 0-2 and 5, 2.0 on ranks 3-4"),
]


@pytest.mark.parametrize("heard, words", [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_ranks_of_different_programs_are_refused(heard, words):
    with pytest.raises(InputError, match="different mpiflows.*install the same") as refusal:
        alike.check(Ranks(heard), *heard[0])
    assert words in str(refusal.value)


def test_ranks_of_one_program_are_not():
    alike.check(Ranks([("1.0", "a" * 40), ("1.0", "a" * 40), ("1.0", "")]), "1.0", "")


@pytest.mark.parametrize("command", ["run", "tune"])
def test_a_rank_with_another_version_ends_the_start(tmp_path, command):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, mpiflow\nif os.environ.get('PMI_RANK') == '1':\n    mpiflow.__version__ = '0.0.7'\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    done = mpiflow(command, small(tmp_path), "-o", tmp_path / "run", ranks=2, env=env)
    refused(done, "different mpiflows", "on rank 0, 0.0.7", "on rank 1")
    assert not (tmp_path / "run").exists()


#: name, environment, vendor, path of the library that is loaded, what must and what must not be advised.
LAUNCHERS = [
    ("MPICH's mpiexec, Open MPI first", {"PMI_SIZE": "4"}, "Open MPI", "own/lib/libmpi.so.40", "own/bin/mpiexec", None),
    ("by MPI4PY_LIBMPI", {"PMI_SIZE": "4", "MPI4PY_LIBMPI": "x.so"}, "Open MPI", "l.so", "unset MPI4PY_LIBMPI", None),
    (
        "by LD_LIBRARY_PATH",
        {"PMI_SIZE": "4", "LD_LIBRARY_PATH": "/a:/b"},
        "Open MPI",
        "/b/l.so",
        "take /b out of",
        None,
    ),
    ("that very mpiexec", {"PMI_SIZE": "4"}, "Open MPI", "used/lib/libmpi.so.40", "pip install mpich", "used/bin"),
    (
        "Open MPI's mpiexec, MPICH",
        {"OMPI_COMM_WORLD_SIZE": "2"},
        "MPICH",
        "own/lib/libmpi.so.12",
        "own/bin/mpiexec",
        None,
    ),
    ("srun without --mpi", {"SLURM_STEP_NUM_TASKS": "3"}, "MPICH", "", "srun --mpi=pmi2", None),
    ("srun, Open MPI", {"SLURM_STEP_NUM_TASKS": "3"}, "Open MPI", "", "srun --mpi=pmix", None),
    ("an unheard-of library", {"PMI_SIZE": "2"}, "unknown", "", "its path is not known", None),
]


@pytest.mark.parametrize(
    "env, vendor, where, cure, not_that", [row[1:] for row in LAUNCHERS], ids=[r[0] for r in LAUNCHERS]
)
def test_a_launcher_of_another_library_names_a_cure_that_fits(
    monkeypatch, tmp_path, env, vendor, where, cure, not_that
):
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "MPI4PY_LIBMPI", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    for name in ("own", "used"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "mpiexec").touch(mode=0o755)
    where = str(tmp_path / where) if where and not where.startswith("/") else where
    monkeypatch.setattr(launcher, "library", lambda: where)
    monkeypatch.setattr(launcher, "_just_used", lambda mpiexec: "used" in str(mpiexec))
    monkeypatch.setattr(launcher.shutil, "which", lambda name: None)
    monkeypatch.setattr(launcher.sys, "prefix", str(tmp_path))
    told = launcher.mismatch(vendor, 1)
    assert cure in told and vendor in told and "\n" not in told
    assert not not_that or not_that not in told.partition(";")[2]


def test_the_library_that_is_loaded_is_found():
    code = "from mpiflow.comm import world; world(); from mpiflow.ranks.launcher import library; print(library())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert Path(found).exists() and "mpi" in Path(found).name


KAEHLER = """
[points]
train = 200
test = 40
[kernel]
name = "kaehler"
features = "{features}"
degree = {degree}
ridge = 1e-6
[manifold]
ambient = 3
[flow]
steps = 2
dt = 1
"""
NETWORK = """
[manifold]
ambient = 3
[points]
train = 128
test = 40
[network]
kind = "{kind}"
width = 8
depth = 1
batch = 64
[flow]
steps = 1
dt = 1e-3
"""
RUNS = {
    "invariant": KAEHLER.format(features="invariant", degree=4),
    "generic": KAEHLER.format(features="generic", degree=2),
    "multiplicative": NETWORK.format(kind="multiplicative"),
    "potential": NETWORK.format(kind="potential"),
}


@pytest.fixture(scope="module", params=["component", *RUNS])
def model(request, tmp_path_factory):
    """A short run of each kind, as a function."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param in ("multiplicative", "potential"):
        pytest.importorskip("jax")
    path = small(folder)
    if request.param != "component":
        path.write_text(RUNS[request.param])
    if "network" in path.read_text():
        # A network that has not learnt yet is a function too, and compiles in half the time.
        (folder / "run").mkdir()
        (folder / "run" / "STOP").touch()
    assert run(Comm(), read(path, []), folder / "run", Screen(0, quiet=True)) in (0, 75)
    return package.open(folder / "run")


def asks(model):
    """All that a model tells of points."""
    names = ["metric", "eta", "potential", "ricci"] if model.has_potential else ["metric", "eta"]
    return [getattr(model, name) for name in names]


def points(model, count=8):
    return sampling.sample(Comm(), model.surface, count, 5, sampling.TEST, model.config.points.chart)[1].z


def test_the_scale_and_phase_of_each_point_do_not_matter(model):
    z = points(model)
    scale = np.geomspace(1e-300, 1e300, len(z))[:, None] * np.exp(1j * np.arange(len(z)))[:, None]
    for ask in asks(model):
        np.testing.assert_allclose(ask(z * scale), ask(z), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(ask(z * 2.0**-900), ask(z))


def test_no_points_give_empty_results(model):
    z = points(model)
    for ask in asks(model):
        usual = ask(z)
        for none in (np.zeros((0, z.shape[1])), np.zeros((0, z.shape[1]), np.complex64), []):
            found = ask(none)
            assert found.shape == (0, *usual.shape[1:]) and found.dtype == usual.dtype


def _with_a_zero(z):
    z = z.copy()
    z[3] = 0
    return z


#: name, what is made of good points (N, n+1), words of the refusal.
POINTS = [
    ("a zero among points", _with_a_zero, "point 3 is z = 0"),
    ("all zeros, real", lambda z: np.zeros(z.shape), "point 0 is z = 0"),
    ("integer zeros", lambda z: np.zeros(z.shape, int), "point 0 is z = 0"),
    ("not a number", lambda z: np.full_like(z, np.nan), "must be finite"),
    ("infinite", lambda z: np.full_like(z, np.inf), "must be finite"),
    ("too few coordinates", lambda z: z[:, :2], "of shape (8, 2)"),
    ("too many axes", lambda z: z[None], "of shape (1, 8"),
    ("a number", lambda z: 3.0, "of shape ()"),
    ("a name", lambda z: "points.npy", "a str and no array of numbers"),
    ("bytes", lambda z: b"1234", "a bytes and no array of numbers"),
    ("numbers as text", lambda z: [["1"] * z.shape[1]], "a list and no array of numbers"),
    ("nothing", lambda z: None, "must be finite"),
    ("objects", lambda z: np.array([[object()] * z.shape[1]]), "no array of numbers"),
    ("a dict", lambda z: {"z": z}, "a dict and no array of numbers"),
    ("a ragged list", lambda z: [[1], [1, 2]], "no array of numbers"),
    ("dates", lambda z: np.zeros(z.shape, "M8[s]"), "datetime64[s]"),
    ("records", lambda z: np.zeros(3, [("a", float)]), "no array of numbers"),
    ("masked values", lambda z: np.ma.masked_array(z, z.real > 0), "masked values"),
    ("off the surface", lambda z: z + 0.1, "off X"),
    ("so small that digits are gone", lambda z: z * 1e-320, "off X"),
]


@pytest.mark.parametrize("made, words", [row[1:] for row in POINTS], ids=[row[0] for row in POINTS])
def test_what_are_no_points_is_refused_by_all_alike(model, made, words):
    z = points(model)
    told = set()
    for ask in asks(model):
        with pytest.raises(InputError) as refusal:
            ask(made(z))
        told.add(str(refusal.value))
    assert len(told) == 1 and words in told.pop()


#: Forms of good points that work.
FORMS = {
    "list": lambda z: z.tolist(),
    "objects": lambda z: z.astype(object),
    "fortran": np.asfortranarray,
    "backwards": lambda z: z[::-1][::-1],
    "clongdouble": lambda z: z.astype(np.clongdouble),
    "big-endian": lambda z: z.astype(">c16"),
    "no mask": lambda z: np.ma.masked_array(z),
}


@pytest.mark.parametrize("form", FORMS)
def test_points_in_any_form_work(model, form):
    z = points(model)
    for ask in asks(model):
        np.testing.assert_array_equal(ask(FORMS[form](z)), ask(z))
        np.testing.assert_allclose(ask(z[0]), ask(z)[:1], rtol=1e-9)


def test_real_points_work(model):
    z = np.zeros(model.surface.degree)
    # A point of every Fermat hypersurface of odd degree; of the quartic there is no real one.
    z[:2] = 1, -1
    if model.surface.degree % 2:
        assert np.isfinite(model.metric(z, extrapolate=True)).all()
    else:
        with pytest.raises(InputError, match="off X"):
            model.metric(z)


@pytest.mark.parametrize("key", ["points.train", "points.test"])
@pytest.mark.parametrize("count", [1, 0, -5])
def test_a_run_of_one_point_is_refused(tmp_path, key, count):
    with pytest.raises(
        InputError, match=f"{key} = {count}: must be at least 2; sigma of a single point is 0 by definition"
    ):
        read(small(tmp_path), [f"{key}={count}"])


#: Counts and seeds that are none, with words of the refusal.
NUMBERS = [
    (1, 7, "points = 1: must be at least 2"),
    (0, 7, "points = 0"),
    (-4, 7, "points = -4"),
    (2.5, 7, "points = 2.5: must be a whole number"),
    ("9", 7, "points = '9': must be a whole number"),
    (None, 7, "points = None"),
    (9, -1, "seed = -1: must be from 0 to"),
    (9, 2**63, "seed = 9223372036854775808"),
    (9, 0.5, "seed = 0.5: must be a whole number"),
]


@pytest.mark.parametrize("count, seed, words", NUMBERS)
def test_fresh_points_need_a_count_and_a_seed(model, count, seed, words):
    for ask in [model.evaluate, *([model.curvature] if model.has_potential else [])]:
        with pytest.raises(InputError) as refusal:
            ask(count, seed, extrapolate=True)
        assert words in str(refusal.value)


def test_two_points_are_measured_and_an_euler_number_without_error_is_none(model):
    assert all(np.isfinite(row.sigma) for row in model.evaluate(np.int64(2), 7))
    if model.has_potential:
        few, enough = (model.curvature(count, 7, extrapolate=True) for count in (7, 8))
        assert few.euler is None and few.error is None and np.isfinite(few.ricci)
        assert np.isfinite([enough.euler, enough.error]).all()
        assert not any("nan" in line for line in curvature_lines(few))


def test_a_gain_is_honest_where_sigma_is_zero(model):
    assert measures.gain(0.3, 0.1) == pytest.approx(3)
    assert measures.gain(0.3, 0.0) == np.inf and measures.gain(0.0, 0.0) == 1
    row = model.evaluate(4, 7)[-1]
    assert row.gain == 1 and plain(row)["gain"] == 1


@pytest.mark.parametrize("ranks", [2])
def test_a_rank_without_points_takes_part_in_a_curvature(tmp_path, ranks):
    path = tmp_path / "few.toml"
    path.write_text(RUNS["generic"])
    assert run(Comm(), read(path, ["flow.steps=1", 'points.chart="all"']), tmp_path / "run", Screen(0, quiet=True)) == 0
    done = mpiflow("evaluate", tmp_path / "run", "--points", 8, ranks=ranks)
    assert done.returncode == 0 and "Ricci measure" in done.stdout, done.stderr


class ErrorOfJax(RuntimeError):
    pass


#: What libraries raise where they get no memory, and words of the line that is made of it.
SHORTAGES = [
    ("numpy", lambda: np.empty((2**24, 2**30)), "128 PiB|1.34e.08 GiB were wanted for an array .16777216, 1073741824."),
    ("numpy, more than any address", lambda: np.arange(10**20), "wanted more than|were wanted"),
    ("bytes", lambda: bytearray(2**62), "wanted more than the .* that it holds"),
    ("cupy", MemoryError("Out of memory allocating 1,048,576 bytes (allocated so far: 0 bytes)."), "1 MiB were wanted"),
    ("jax", ErrorOfJax("RESOURCE_EXHAUSTED: Out of memory allocating 2147483648 bytes."), "2 GiB were wanted"),
    ("jax on a GPU", ErrorOfJax("RESOURCE_EXHAUSTED: Failed to allocate 1.50GiB for new constant"), "1.5 GiB"),
    ("MPI", ErrorOfJax("Other MPI error, error stack:\nOut of memory (unable to allocate a 'tmp_buf')"), "tmp_buf"),
    ("HDF5", OSError("Can't write data (memory allocation failed for type conversion)"), "type conversion"),
    ("numba", MemoryError("Allocation failed (probably too large)."), "probably too large"),
    ("a thread", RuntimeError("can't start new thread"), "new thread"),
    ("the system", OSError(12, "Cannot allocate memory"), "Cannot allocate memory"),
    ("C++", RuntimeError("std::bad_alloc"), "bad_alloc"),
]


@pytest.mark.parametrize("made, words", [row[1:] for row in SHORTAGES], ids=[row[0] for row in SHORTAGES])
def test_a_lack_of_memory_is_known_in_every_form(made, words):
    error = made
    if callable(made):
        with pytest.raises((MemoryError, ValueError)) as met:
            made()
        error = met.value
    told = str(shortage.of(error, 1, 4))
    assert re.search(words, told) and "\n" not in told
    for word in ("rank 1 of 4", "points.train", "engine.memory", "mpiflow plan", "intact"):
        assert word in told


def test_other_errors_are_no_lack_of_memory():
    others = [
        ValueError("no space"),
        OSError(28, "No space left on device"),
        InputError("out of memory"),
        KeyError("x"),
    ]
    assert [shortage.of(error, 0, 1) for error in others] == [None] * 4


def test_a_lack_of_memory_behind_another_error_is_found():
    try:
        try:
            raise MemoryError
        except MemoryError:
            raise KeyError("cache") from None
    except KeyError as error:
        assert "out of memory" in str(shortage.of(error, 0, 1))


#: On rank 1 alone: where memory is short, as Python to be run when the interpreter starts.
LIMITED = [
    (
        "a limit of the system",
        "import mpiflow.losses, resource\nimport numpy as np\n"
        "def big(*rest):\n    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\n    return np.ones(2**31)\n"
        "mpiflow.losses.gradient = big",
        1,
    ),
    (
        "in the writer's thread",
        "import mpiflow.state.atomic as a\ndef none(*rest): raise MemoryError\na.put = none",
        0,
    ),
]


@pytest.mark.parametrize("code, rank", [row[1:] for row in LIMITED], ids=[row[0] for row in LIMITED])
def test_one_rank_without_memory_ends_all_with_one_line(tmp_path, code, rank):
    body = "\n".join("    " + line for line in code.splitlines())
    (tmp_path / "sitecustomize.py").write_text(f"import os\nif os.environ.get('PMI_RANK') == '{rank}':\n{body}\n")
    env = {"PYTHONPATH": str(tmp_path)}
    done = mpiflow("run", small(tmp_path), "-q", "-o", tmp_path / "run", ranks=2, timeout=60, env=env)
    refused(done, f"rank {rank} of 2", "is out of memory", "points.train")


INF, NAN = float("inf"), float("nan")
#: node, ranks on it, GPUs, GiB of one, ranks, and words of the refusal.
LIMITS = [
    (0, 1, 0, 80, 1, "--memory = 0: must be a positive number"),
    (NAN, 1, 0, 80, 1, "--memory = nan"),
    (INF, 1, 0, 80, 1, "--memory = inf"),
    (-64, 1, 0, 80, 1, "--memory = -64"),
    (64, 0, 0, 80, 1, "--ranks-per-node = 0: must be from 1"),
    (64, -1, 0, 80, 1, "--ranks-per-node = -1"),
    (64, 1, -1, 80, 1, "--gpus = -1: must be from 0"),
    (64, 1, 1, 0, 1, "--gpu-memory = 0: must be a positive number"),
    (64, 1, 1, NAN, 1, "--gpu-memory = nan"),
    (64, 1, 1, INF, 1, "--gpu-memory = inf"),
    (64, 1, 1, -80, 1, "--gpu-memory = -80"),
    (64, 1, 4, 80, 1, "--gpus 4 for 1 rank: a rank uses one GPU, and 3 would stay idle; ask for --ranks 4"),
    (64, 2, 9, 80, 2, "--gpus 9 for 2 ranks"),
    (64, 1, 2, 80, 4, "--gpus 2 on 4 nodes: some would have none; ask for --gpus 4"),
    (64, 1, 0, 80, 0, "--ranks = 0: must be from 1"),
    (64, 1, 0, 80, -2, "--ranks = -2"),
    (64, 1, 0, 80, 10**12, "--ranks = 1000000000000"),
]


@pytest.mark.parametrize("node, on_it, gpus, gpu, ranks, words", LIMITS)
def test_a_plan_for_no_machine_is_refused(tmp_path, node, on_it, gpus, gpu, ranks, words):
    with pytest.raises(InputError) as refusal:
        facts(read(small(tmp_path), []), tmp_path, ranks, Limits(node, on_it, gpus, gpu), Machine())
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "ranks, on_it, gpus, words",
    [(4, 4, 4, "--gpus-per-task=1"), (4, 4, 2, "--gpus-per-node=2"), (4, 2, 2, "--gpus-per-node=1"), (4, 4, 0, "-N1")],
)
def test_a_plan_asks_slurm_for_the_gpus_that_its_ranks_use(tmp_path, ranks, on_it, gpus, words):
    found = facts(read(small(tmp_path), ["clusters.count=1"]), tmp_path, ranks, Limits(64, on_it, gpus, 80), Machine())
    assert words in found["sbatch"] and ("gpus" in found["sbatch"]) == bool(gpus)
    if gpus:
        config = read(small(tmp_path), ["clusters.count=1"])
        alone = facts(config, tmp_path, ranks, Limits(64, on_it, ranks, 80), Machine())
        assert found["gpu_bytes"] == alone["gpu_bytes"] * ranks // gpus


def test_no_memory_is_not_all_memory(tmp_path):
    refused(mpiflow("plan", small(tmp_path), "--memory", 0), "--memory = 0")


#: Seconds that starting took and that a step takes (None: not known; "new": a new run), the limit, and what is said.
CLOCKS = [
    ("a new run, hardly started", 3.0, "new", 4.0, "Starting took 3 s and how long a step takes is not known yet"),
    ("a step that is longer than the limit", 1.0, 50.0, 20.0, "a step takes 50 s: give it more, --max-time 203"),
    ("the limit is over", 9.0, 0.1, 5.0, "Starting took 9 s and a step takes 0.1 s"),
    ("a long start and a short step", 9.0, 0.1, 10.0, None),
    ("a long start, and no step yet by any start", 9.0, None, 10.0, None),
    ("enough", 3.0, "new", 1000.0, None),
]


@pytest.mark.parametrize("start, step, limit, words", [row[1:] for row in CLOCKS], ids=[row[0] for row in CLOCKS])
def test_too_little_time_for_a_step_is_told_with_the_cure(monkeypatch, tmp_path, start, step, limit, words):
    now = [100.0]
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(triggers, "_born", 100.0)
    wishes = triggers.Triggers(Comm(), tmp_path, limit)
    now[0] += start
    if step != "new":
        wishes.expect(step)
    assert bool(wishes.decide(0, 0.0).stop) == bool(words)
    assert (words or "") in wishes.standstill(0.0)


def test_a_run_without_progress_says_so(tmp_path):
    config = small(tmp_path)
    for words in (("not known yet", "--max-time"), ("not known yet",)):
        done = mpiflow("run", config, "-o", tmp_path / "run", "--max-time", 0.01)
        assert done.returncode == 75 and "no step was made in this start: there is no progress" in done.stdout
        assert all(word in done.stdout for word in words)


def test_a_study_without_progress_says_so(tmp_path):
    pytest.importorskip("optuna")
    done = mpiflow("tune", small(tmp_path), "-o", tmp_path / "study", "--max-time", 0.01)
    assert done.returncode == 75 and "no trial ended in this start: there is no progress" in done.stdout, done.stderr


START = {"mpiflow": "1.0", "commit": "a" * 40, "numpy": "2.0", "h5py": "3.1", "hdf5": "1.14", "processor": "X, AVX2"}
#: What differs in the last start, and what is said; an older one lacks some facts.
MOVES = [
    ({}, ""),
    ({"numpy": "1.26"}, "numpy 1.26 -> 2.0: bits may differ"),
    ({"mpiflow": "0.9", "hdf5": "1.12"}, "mpiflow 0.9 -> 1.0, hdf5 1.12 -> 1.14"),
    ({"commit": "b" * 40 + "+"}, "commit bbbbbbbbbbbb+ -> aaaaaaaaaaaa"),
    ({"processor": "X, AVX-512"}, "processor X, AVX-512 -> X, AVX2"),
    ({"processor": None}, ""),
    ({"numpy": 1}, "numpy 1 -> 2.0"),
    ({"processor": "a\nb\x1b" + "c" * 500}, "processor a b"),
    ({"commit": ""}, ""),
    ({"ranks": 9, "host": "other", "start": "then"}, ""),
]


@pytest.mark.parametrize("last, words", MOVES)
def test_what_may_move_bits_is_told_in_one_line(last, words):
    told = provenance.moved(json.dumps([{}, START | last]), START)
    assert words in told and bool(told) == bool(words) and "\n" not in told and len(told) < 300


@pytest.mark.parametrize("chain", ["", "[]", "{", "[1]", "[null]", "null"])
def test_a_chain_that_tells_nothing_says_nothing(chain):
    assert provenance.moved(chain, START) == "" and provenance.begun(chain) == 0


def test_a_resume_on_another_processor_says_that_bits_may_differ(tmp_path, monkeypatch, capsys):
    config = read(small(tmp_path), ["flow.steps=2"])
    (tmp_path / "run").mkdir()
    for processor, words in (
        ("Old, AVX2", ""),
        ("Old, AVX2", ""),
        ("New, AVX-512", "processor Old, AVX2 -> New, AVX-512"),
    ):
        (tmp_path / "run" / "STOP").touch()
        monkeypatch.setattr(provenance, "processor", lambda processor=processor: processor)
        assert run(Comm(), config, tmp_path / "run", Screen()) == 75
        said = capsys.readouterr().out
        assert words in said and ("bits may differ" in said) == bool(words)


def test_ranks_on_different_processors_are_told():
    assert alike.mixed("processor", ["A", "A"]) == ""
    assert "A on ranks 0-1, B on rank 2" in alike.mixed("processor", ["A", "A", "B"])


def test_this_processor_has_a_name():
    assert provenance.processor() and "\n" not in provenance.processor()
