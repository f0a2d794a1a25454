"""The jobs of the theory: each is planned, and some have the same bits on any number of ranks and through a stop."""

import os

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
NAMES = sorted(path.stem for path in (JOBS / "theory").glob("*.toml"))
#: Of each kind of arithmetic one; by hand, with MPIFLOW_BITS=full, every job and these variants, on 1, 2 and 3 ranks.
FULL = os.environ.get("MPIFLOW_BITS") == "full"
USUAL = ("cosine", "calabi", "linearised", "ricci-batch", "ricci-kernels")
FEW = ("points.train=1100", "flow.steps=4")
RANDOM = ("manifold.family=random", "manifold.seed=0")
VARIANTS = [
    ("gauss-net", "kernel.units=64", "kernel.networks=9", "kernel.w_std=1.4"),
    ("linearised", "clusters.count=1"),
    ("network-flow", "network.kind=multiplicative"),
    ("network-flow", "network.kind=additive"),
    ("network-flow", "network.kind=potential"),
    ("mabuchi", *FEW, "kernel.potential=log"),
    ("mabuchi", *FEW, "kernel.features=generic", "kernel.degree=2", "kernel.ridge=1e-3", *RANDOM),
    ("calabi-functional", *FEW, "manifold.ambient=3"),
    ("j-omega", *FEW, "flow.search=lbfgs"),
    ("sigma-smooth", *FEW, "flow.loss=sigma", "kernel.preconditioner=natural", "flow.dt=0.05"),
]
BITS = [*((name,) for name in NAMES), *VARIANTS] if FULL else [(name,) for name in USUAL]
#: Of those on a grid.
GRID = ("manifold.points=14", "flow.steps=4", "flow.dt=0.02", "kernel.width=0.6")


def words(job, *more):
    if 'name = "grid"' in (JOBS / "theory" / f"{job}.toml").read_text():
        return [word for setting in GRID for word in ("--set", setting)]
    return [word for setting in (*SMALL, *MORE.get(job, ()), *more) for word in ("--set", setting)]


@pytest.mark.parametrize("job", NAMES)
def test_it_is_planned(job, tmp_path):
    found = inside(["plan", str(JOBS / "theory" / f"{job}.toml"), *words(job)], tmp_path)
    assert found.returncode == 0 and "a step" in found.stdout, found.stderr


@pytest.mark.parametrize("case", BITS, ids=", ".join)
def test_its_bits_do_not_depend_on_ranks_and_stops(case, tmp_path):
    path, settings = JOBS / "theory" / f"{case[0]}.toml", words(*case)
    assert inside(["run", str(path), "-o", "whole", *settings], tmp_path).returncode == 0
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "STOP").write_text("2")
    assert mpiflow("run", path, "-o", tmp_path / "parts", *settings, ranks=3).returncode == 75
    if FULL:
        assert mpiflow("run", path, "-o", tmp_path / "parts", *settings, ranks=2).returncode == 0
    else:
        assert inside(["run", str(path), "-o", "parts", *settings], tmp_path).returncode == 0
    expected, found = result(tmp_path / "whole"), result(tmp_path / "parts")
    assert [name for name in expected if found[name] != expected[name]] == []
