"""`mpiflow plan` of Kaehler flows: its memory holds, what cannot fit is refused, and states have the predicted size."""

import os
import subprocess
import sys

import pytest
from inside import mpiflow as inside
from inside import refused
from test_plan import MEASURED, planned

import mpiflow as library
from jobs import BIN, JOBS
from mpiflow.config import read
from mpiflow.methods.potential_costs import Costs
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine
from mpiflow.plan.report import facts

JOB = JOBS / "kaehler.toml"


def words(keys):
    return [word for name, value in keys.items() for word in ("--set", f"{name}={value}")]


def invariant(train, degree, **keys):
    return {
        "points.train": train,
        "kernel.degree": degree,
        "points.test": 64,
        "points.chart": "all",
        "flow.steps": 1,
    } | keys


def generic(train, degree):
    return invariant(train, degree) | {"kernel.features": "generic", "kernel.ridge": 1e-6}


CASES = {
    "points": invariant(10_000, 12),
    "generic": generic(12_000, 4),
    "features": invariant(1500, 16),
    "never kept": invariant(2000, 16, **{"engine.memory": 0.02}),
}


#: One of each kind, as in test_plan_bytes.py, which holds stage by stage what a process takes beside its libraries.
@pytest.mark.parametrize("case", CASES if os.environ.get("MPIFLOW_PLANS") == "full" else ["generic"])
def test_predicted_memory_is_within_ten_percent(tmp_path, case, least):
    keys = CASES[case]
    run = [BIN / "mpiflow", "run", JOB, "-o", tmp_path / "run", *words(keys)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, run)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    found = planned(JOB, *words(keys))["peak_bytes"]
    assert found == pytest.approx(int(done.stdout), rel=0.1)
    assert found > 1.15 * least


@pytest.fixture(scope="module")
def least():
    """What is said of a run that hardly takes more than its libraries."""
    return planned(JOB, *words(invariant(256, 4)))["peak_bytes"]


def test_states_have_the_predicted_size(tmp_path):
    settings = read(JOB, words(invariant(1000, 10))[1::2])
    library.run(settings, tmp_path / "run")
    size = max(path.stat().st_size for path in (tmp_path / "run").glob("state-*.h5"))
    said = facts(settings, JOB, 1, Limits(64, 1), Machine())
    assert said["states"]["bytes_each"] == pytest.approx(size, rel=0.1)


def test_what_cannot_fit_is_refused_with_what_does(tmp_path):
    keys = invariant(10_000_000, 16, **{"engine.memory": 200})
    done = inside(["plan", str(JOB), *words(keys), "--memory", "64"], tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    for text in ("points.train = 10000000", "kernel.degree = 16", "64.00 GiB", "--ranks 4"):
        assert text in done.stderr
    few = inside(["plan", str(JOB), "--set", "points.train=60"], tmp_path)
    refused(few, "points.train = 60", "69", "kernel.ridge > 0")


def test_ranks_share_points_and_seconds():
    settings = read(JOB, ["points.train=100000", "kernel.degree=16"])
    one, many = Costs(settings, 1), Costs(settings, 16)
    assert one.space.features == many.space.features == 215
    assert many.rows == 13 * 512 and one.rows == 196 * 512
    first, last = (c.step(Machine()) for c in (one, many))
    assert first["contract"] / last["contract"] == pytest.approx(15, rel=0.05)
    assert first["allreduce"] == 0 < last["allreduce"]
    assert max(many.bytes().values()) < max(one.bytes().values()) / 5


def test_a_measured_machine_is_kept_and_used(tmp_path):
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    done = inside(["plan", str(JOB), "--calibrate"], tmp_path, env)
    assert done.returncode == 0, done.stderr
    assert "low-rank, resident" in done.stdout and "measured" in done.stdout
