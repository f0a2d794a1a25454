"""The same answer, bit for bit, on any number of ranks and through any restart."""

import pytest
from inside import mpiflow as inside

from jobs import JOBS, mpiflow, result, small

#: Ranks of the first starts and the steps after which these stop; ranks of the last. Twice where most is exchanged.
STOPS = {"halo": ([(3, 4), (2, 8)], 4), "all": ([(3, 4)], 2), "none": ([(3, 4)], 4), "symmetric": ([(3, 4)], 2)}


@pytest.fixture(scope="module", params=STOPS)
def whole(request, tmp_path_factory):
    """The uninterrupted run on one rank: run file, where it is stopped, ranks of the last start, and result."""
    folder = tmp_path_factory.mktemp("whole")
    config = symmetric(folder) if request.param == "symmetric" else small(folder, request.param)
    done = inside(["run", str(config), "-o", "run"], folder)
    assert done.returncode == 0, done.stderr
    return config, *STOPS[request.param], result(folder / "run")


def symmetric(folder):
    """A run of three blocks of points, whose pairs the ranks share."""
    path = small(folder, "all")
    path.write_text(path.read_text().replace("train = 330", "train = 1100") + '[engine]\nmode = "symmetric"\n')
    return path


def test_bits_depend_neither_on_ranks_nor_on_restarts(whole, tmp_path):
    """Begun on three ranks, stopped, gone on with on two, or on four: each step and the points are those of one rank."""
    config, stops, last, expected = whole
    for ranks, step in stops:
        (tmp_path / "STOP").write_text(str(step))
        stopped = mpiflow("run", config, "-o", tmp_path, ranks=ranks)
        assert stopped.returncode == 75, stopped.stderr
        assert f"stopped after step {step}" in stopped.stdout
    done = mpiflow("run", config, "-o", tmp_path, ranks=last)
    assert done.returncode == 0, done.stderr
    found = result(tmp_path)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_a_finished_run_says_so(tmp_path):
    config = small(tmp_path)
    assert inside("run small.toml -o run --set flow.steps=2", tmp_path).returncode == 0
    again = mpiflow("run", config, "-o", tmp_path / "run", "--set", "flow.steps=2", ranks=2)
    assert again.returncode == 0 and "there is nothing to do" in again.stdout


def test_more_steps_go_on_from_the_end(tmp_path):
    small(tmp_path)
    for folder, steps in (("whole", 6), ("parts", 2), ("parts", 6)):
        assert inside(f"run small.toml -o {folder} --set flow.steps={steps}", tmp_path).returncode == 0
    expected, found = result(tmp_path / "whole"), result(tmp_path / "parts")
    assert [name for name in expected if found[name] != expected[name]] == []


@pytest.mark.parametrize(
    ("job", "settings", "stop"),
    [
        ("kaehler", ("points.train=300", "kernel.degree=8", "flow.steps=8"), 3),
        # Where Q relates the sections to each other, and the kernel is frozen anew in every step.
        ("random-quintic", ("points.train=1100", "manifold.ambient=2", "kernel.degree=3", "flow.steps=4"), 2),
    ],
    ids=["invariant", "generic"],
)
def test_a_kaehler_flow_keeps_its_bits_too(job, settings, stop, tmp_path):
    words = [word for setting in (*settings, "points.test=150") for word in ("--set", setting)]
    assert inside(["run", str(JOBS / f"{job}.toml"), "-o", "whole", *words], tmp_path).returncode == 0
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "STOP").write_text(str(stop))
    assert mpiflow("run", JOBS / f"{job}.toml", "-o", tmp_path / "parts", *words, ranks=3).returncode == 75
    assert mpiflow("run", JOBS / f"{job}.toml", "-o", tmp_path / "parts", *words, ranks=2).returncode == 0
    expected, found = result(tmp_path / "whole"), result(tmp_path / "parts")
    assert [name for name in expected if found[name] != expected[name]] == []


def test_another_configuration_is_refused_with_the_keys(tmp_path_factory, tmp_path):
    config = small(tmp_path_factory.mktemp("job"))
    run = ["run", str(config), "-o", str(tmp_path), "--set", "flow.steps=2"]
    assert inside(run, tmp_path).returncode == 0
    before = result(tmp_path)
    refused = mpiflow("run", config, "-o", tmp_path, "--set", "flow.dt=0.02", "--set", "kernel.width=0.3", ranks=2)
    assert refused.returncode == 2
    assert "flow.dt: 0.03 -> 0.02; kernel.width: 0.4 -> 0.3" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert result(tmp_path) == before
    fresh = inside([*run, "--set", "flow.dt=0.02", "--fresh"], tmp_path.parent)
    assert fresh.returncode == 0 and "is now" in fresh.stdout
    assert result(tmp_path.with_name(tmp_path.name + ".old-1")) == before
