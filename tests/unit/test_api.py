"""Runs, models and points in Python: the same bits as the commands, nothing written that was not asked for."""

import subprocess
import sys
import tomllib

import numpy as np
import pytest
from facts import telling

import mpiflow
from jobs import mpiflow as command
from jobs import result, small
from mpiflow import config
from mpiflow.api import _read
from mpiflow.comm import Comm, world
from mpiflow.errors import InputError

CHART = {"family": "fermat"}


@pytest.fixture
def table(tmp_path):
    return tomllib.loads(small(tmp_path).read_text())


def test_a_run_in_memory_is_the_run_of_a_folder_and_of_the_command(tmp_path, table, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    memory = mpiflow.run(table)
    assert not list(here.iterdir())
    folder = mpiflow.run(tmp_path / "small.toml", tmp_path / "run")
    assert command("run", tmp_path / "small.toml", "-o", tmp_path / "told").returncode == 0
    assert result(tmp_path / "run") == result(tmp_path / "told")
    z = mpiflow.sample(CHART, 50, 3, chart=(0, 1)).z
    assert memory.step == folder.step == 12 and memory.kappa == folder.kappa
    assert np.array_equal(memory.metric(z), folder.metric(z)) and np.array_equal(memory.eta(z), folder.eta(z))
    assert memory.evaluate(60, 5) == folder.evaluate(60, 5)
    assert memory.history.keys() == folder.history.keys()
    assert all(np.array_equal(memory.history[name], column) for name, column in folder.history.items())


def test_a_potential_in_memory_is_that_of_its_states(tmp_path, table):
    table |= {"kernel": {"name": "kaehler", "degree": 4}, "flow": {"steps": 3, "dt": 0.3}, "clusters": {}}
    memory, folder = mpiflow.run(config.check(table, "test")), mpiflow.run(table, str(tmp_path / "run"))
    z = mpiflow.sample(memory.config, 20).z
    assert np.array_equal(memory.potential(z), folder.potential(z))
    assert np.array_equal(memory.ricci(z), folder.ricci(z)) and memory.everywhere


def test_numbers_of_numpy_are_numbers_of_a_run_file():
    """As loops over arrays give them."""
    table = {
        "kernel": {"name": "gaussian", "width": 0.25},
        "flow": {"dt": 0.1, "steps": 2},
        "points": {"chart": [0, 1]},
    }
    same = {
        "kernel": {"name": "gaussian", "width": np.float32(0.25)},
        "flow": {"dt": np.float64(0.1), "steps": np.int64(2)},
    }
    found = _read(same | {"points": {"chart": np.array([0, 1])}}, "test")
    assert found == _read(table, "test") and found.text() == _read(table, "test").text()
    with telling(InputError, "flow.steps = 2.5"):
        _read(table | {"flow": {"dt": 0.1, "steps": np.float64(2.5)}}, "test")


def test_a_run_that_was_stopped_goes_on_by_the_same_call(tmp_path, table):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    mpiflow.run(table, whole)
    parts.mkdir()
    (parts / "STOP").write_text("5")
    assert mpiflow.run(table, parts).step == 5
    assert mpiflow.run(table, parts).step == mpiflow.open(parts).step == 12
    assert result(parts) == result(whole)


@pytest.mark.parallel([1, 3])
def test_points_and_models_are_the_same_on_any_ranks(tmp_path):
    alone = mpiflow.sample(CHART, 500, 9)
    shared = mpiflow.sample(CHART, 500, 9, comm=world())
    for name in ("z", "chart", "weight", "omega2"):
        assert np.array_equal(getattr(alone, name), getattr(shared, name))
    run = {"points": {"train": 100, "test": 50}, "kernel": {"name": "delta"}, "flow": {"dt": 0.01, "steps": 2}}
    models = [mpiflow.run(run, comm=comm) for comm in (Comm(), world())]
    assert models[0].evaluate(40, 2) == models[1].evaluate(40, 2)
    z, rank = mpiflow.sample(CHART, 41, 9, chart=(0, 1)).z, world().rank
    for wanted in (z, z[rank * 10 :], z[: 5 * (rank == 0)]):
        for name in ("metric", "eta"):
            found, expected = (getattr(model, name)(wanted) for model in reversed(models))
            assert np.array_equal(found, expected)
    assert world().size == 1 or mpiflow.sample(CHART, 5, 9, comm=world().mpi).z.shape == (5, 5)


def test_weights_are_those_of_averages_over_omega():
    points = mpiflow.sample({"family": "dwork", "psi": 0.5}, 4000, 1)
    share = np.average(np.abs(points.z) ** 2 / (np.abs(points.z) ** 2).sum(1)[:, None], axis=0, weights=points.weight)
    assert len(points) == 4000 and np.abs(share - 0.2).max() < 0.01
    assert len({tuple(row) for row in points.chart.tolist()}) == 20
    model = mpiflow.run({"kernel": {"name": "delta"}, "flow": {"dt": 0.01, "steps": 1}})
    trained = model.train.points.z
    fresh = mpiflow.sample(model.config, 1000, model.config.run.seed, chart=(0, 1)).z
    assert not {row.tobytes() for row in trained} & {row.tobytes() for row in fresh}


@pytest.mark.parametrize(
    ("ask", "facts"),
    [
        (lambda: mpiflow.sample(CHART, 5, comm=3), ("comm = 3", "mpiflow.comm.world()")),
        (lambda: mpiflow.run(None), ("mpiflow.run", "NoneType")),
        (lambda: mpiflow.run({}), ("mpiflow.run", "flow", "[flow]")),
        (lambda: mpiflow.run("absent.toml"), ("absent.toml",)),
        (lambda: mpiflow.run({"flow": {"dt": 1.0}, "kernel": {"name": "delta"}}, ""), ("mpiflow.run", "folder = ''")),
        (lambda: mpiflow.run({"flow": {"dt": 1.0}, "kernel": {"name": "delta"}}, 5), ("mpiflow.run", "folder = 5")),
        (lambda: mpiflow.sample({"family": "none"}, 5), ('manifold.family = "none"', "bicubic")),
        (lambda: mpiflow.sample(None, 5), ("mpiflow.sample", "NoneType")),
        (lambda: mpiflow.sample({}, 0), ("points.train = 0", 2)),
        (lambda: mpiflow.sample({}, 2.5), ("n = 2.5",)),
        (lambda: mpiflow.sample({}, 5, 2**63), (f"run.seed = {2**63}",)),
        (lambda: mpiflow.sample({}, 5, chart=(0, 9)), ("points.chart = [0, 9]", "0..4")),
    ],
)
def test_bad_input_is_one_line(ask, facts):
    with telling(InputError, *facts):
        ask()


def test_the_package_is_light_until_it_is_asked():
    text = "import sys, mpiflow; print({'numpy', 'pydantic', 'mpi4py'} & set(sys.modules), {'run', 'open'} < set(dir(mpiflow)))"
    shown = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["set()", "True"]
    with telling(AttributeError, "'runs'"):
        mpiflow.runs  # noqa: B018
