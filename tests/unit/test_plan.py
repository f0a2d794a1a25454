"""`mpiflow plan`: what it predicts of memory holds, and what cannot fit is refused with the setting that does."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict

import pytest
from inside import mpiflow as inside

import mpiflow as library
from jobs import BIN, JOBS, mpiflow, small
from mpiflow.config import read
from mpiflow.methods.component_costs import Costs
from mpiflow.plan import machine
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine
from mpiflow.plan.report import facts

#: Runs a command; prints the largest resident set of its processes, in bytes.
MEASURED = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)\n"
)


def planned(config, *words):
    done = mpiflow("plan", config, "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def peaks(folder, train, mode, count):
    """Peak bytes of a run on one rank: predicted, and taken."""
    keys = {"points.train": train, "clusters.batch": train, "clusters.count": count, "engine.mode": mode}
    keys |= {"flow.steps": 1, "points.test": 64}
    words = [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]
    predicted = planned(small(folder), *words)["peak_bytes"]
    run = [BIN / "mpiflow", "run", small(folder), "-o", folder / f"run-{train}", *words]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, run)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return predicted, int(done.stdout)


#: One of each engine, as in test_plan_bytes.py, which holds stage by stage what a process takes beside its libraries.
ENGINES = [(6000, "streamed", 2), (9000, "resident", 1), (10_000, "symmetric", 1)]


@pytest.mark.parametrize(
    ("train", "mode", "count"), ENGINES if os.environ.get("MPIFLOW_PLANS") == "full" else ENGINES[:1]
)
def test_predicted_memory_is_within_ten_percent(tmp_path, train, mode, count):
    predicted, taken = peaks(tmp_path, train, mode, count)
    assert predicted == pytest.approx(taken, rel=0.1)


def test_gpus_are_planned_for_what_will_run_on_them(tmp_path):
    config = read(small(tmp_path), ["points.train=100000", "points.test=128", "clusters.count=1"])
    assert facts(config, tmp_path, 4, Limits(64, 4), Machine())["engine"] == "symmetric"
    assert facts(config, tmp_path, 4, Limits(64, 4, 4, 80), Machine())["engine"] == "streamed"
    config = read(small(tmp_path), ["engine.mode=symmetric", "clusters.count=1"])
    assert facts(config, tmp_path, 4, Limits(64, 4, 4, 80), Machine())["engine"] == "symmetric"


def test_an_older_measurement_is_not_taken_for_a_whole_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = read(small(tmp_path))
    path = machine._path(config)
    path.parent.mkdir()
    path.write_text(json.dumps(asdict(Machine(origin="measured"))))
    assert machine.load(config).origin == "measured"
    path.write_text(json.dumps({"origin": "measured", "entry": 1e-9}))
    assert machine.load(config) == Machine()


def test_a_large_parent_is_not_counted():
    program = "from mpiflow.plan.process import peak; print(peak())"
    parent = "import subprocess, sys; kept = b'x' * 500_000_000; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    done = subprocess.run([sys.executable, "-c", parent, program], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 300e6


def test_a_resident_kernel_of_a_million_points_is_refused_with_what_fits(tmp_path):
    words = "--memory 64 --set points.train=1000000"
    small(tmp_path)
    done = inside(f"plan small.toml {words} --set engine.mode=resident", tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    for word in ("1,000,000 x 1,000,000", "7,45", "engine.memory", "2 GiB", 'engine.mode = "streamed"', "--ranks"):
        assert word in done.stderr
    assert inside(f"plan small.toml {words} --set engine.mode=streamed", tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (10**10, "GiB .*; take a machine with more memory, or"),
        (10**12, "4.4e.06 GiB .*; no machine has as much: make"),
    ],
)
def test_what_no_machine_holds_is_to_be_made_smaller(points, said, tmp_path):
    small(tmp_path)
    done = inside(f"plan small.toml --memory 64 --set points.train={points} --set points.test={points}", tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and re.search(said, done.stderr), done.stderr


def test_states_have_the_predicted_size(tmp_path):
    config = read(small(tmp_path), ["points.train=3000", "clusters.batch=1000", "flow.steps=3", "output.every_steps=2"])
    library.run(config, tmp_path / "run")
    sizes = [path.stat().st_size for path in (tmp_path / "run").glob("state-*.h5")]
    said = facts(config, tmp_path, 1, Limits(64, 1), Machine())
    assert said["states"]["bytes_each"] == pytest.approx(max(sizes), rel=0.1)
    assert said["states"]["written"] == len(sizes) == 3


def test_ranks_share_rows_and_seconds(tmp_path):
    config = read(small(tmp_path), ["points.train=100000", "clusters.batch=10000", "engine.mode=streamed"])
    one, many = Costs(config, 1), Costs(config, 16)
    assert one.rows == 100_000 and many.rows == 49 * 128
    assert many.engine(many.rows) < one.engine(one.rows)
    first, last = (c.step(Machine()) for c in (one, many))
    assert first["kernel"] / last["kernel"] == pytest.approx(16, rel=0.05)
    assert first["allreduce"] == 0 < last["allreduce"]
    assert one.step(Machine(), look=False)["kernel"] < first["kernel"]


@pytest.mark.parametrize("job", ["delta", "relu", "quickstart"])
def test_every_kernel_of_a_job_is_planned(job):
    costs = Costs(read(JOBS / f"{job}.toml"), 2)
    assert all(size > 0 for size in costs.bytes().values()) and all(
        taken >= 0 for taken in costs.seconds(Machine()).values()
    )


def test_memory_touched_first_counts_for_stored_tiles_alone_and_compiling_once(tmp_path):
    times, s = {}, None
    for mode in ("resident", "streamed"):
        config = read(small(tmp_path), [f"engine.mode={mode}"])
        s = Costs(config, 1)
        cheap, dear = (s.seconds(Machine(fresh=x, start=x)) for x in (0.0, 1.0))
        times[mode] = {name: dear[name] - cheap[name] for name in dear if dear[name] != cheap[name]}
    stored = s.itemsize * (s.rows + s.unseen) * s.sources
    assert times == {"resident": {"sample": 1, "build": pytest.approx(stored)}, "streamed": {"sample": 1}}


def test_a_measured_machine_is_kept_and_used(tmp_path):
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    small(tmp_path)
    done = inside("plan small.toml --calibrate --json", tmp_path, env)
    assert done.returncode == 0, done.stderr
    again = json.loads(inside("plan small.toml --json", tmp_path, env).stdout)
    assert again["machine"] == json.loads(done.stdout)["machine"] and "measured" in again["machine"]
