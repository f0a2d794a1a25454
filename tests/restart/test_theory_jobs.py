"""The jobs of the theory: each is planned, and two have the same bits on any number of ranks and through a stop."""

import pytest
from inside import mpiflow as inside

from jobs import JOBS, mpiflow, result

#: At which no job takes more than a second.
SMALL = ("points.train=300", "points.test=20", "flow.steps=4")
#: What is too large for that, otherwise.
MORE = {
    "cosine": ("kernel.units=64",),
    "linearised": ("clusters.count=2",),
    "network-flow": ("network.batch=70", "network.width=8"),
    "ricci-kernels": ("manifold.ambient=2", "points.train=80"),
}
#: Of each kind of arithmetic one.
BITS = ("cosine", "calabi", "linearised", "ricci-batch", "ricci-kernels")
#: Of those on a grid.
GRID = ("manifold.points=14", "flow.steps=4", "flow.dt=0.02", "kernel.width=0.6")


def words(job):
    if 'name = "grid"' in (JOBS / "theory" / f"{job}.toml").read_text():
        return [word for setting in GRID for word in ("--set", setting)]
    return [word for setting in (*SMALL, *MORE.get(job, ())) for word in ("--set", setting)]


@pytest.mark.parametrize("job", sorted(path.stem for path in (JOBS / "theory").glob("*.toml")))
def test_it_is_planned(job, tmp_path):
    found = inside(["plan", str(JOBS / "theory" / f"{job}.toml"), *words(job)], tmp_path)
    assert found.returncode == 0 and "a step" in found.stdout, found.stderr


@pytest.mark.parametrize("job", BITS)
def test_its_bits_do_not_depend_on_ranks_and_stops(job, tmp_path):
    path = JOBS / "theory" / f"{job}.toml"
    assert inside(["run", str(path), "-o", "whole", *words(job)], tmp_path).returncode == 0
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "STOP").write_text("2")
    assert mpiflow("run", path, "-o", tmp_path / "parts", *words(job), ranks=3).returncode == 75
    assert inside(["run", str(path), "-o", "parts", *words(job)], tmp_path).returncode == 0
    expected, found = result(tmp_path / "whole"), result(tmp_path / "parts")
    assert [name for name in expected if found[name] != expected[name]] == []
