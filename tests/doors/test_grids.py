"""Flows on real grids come in by the same door and the same line: run, resumed, planned, refused, on any number of ranks."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from facts import telling, tells

import mpiflow as package
from jobs import mpiflow
from mpiflow import config
from mpiflow.belief import loader
from mpiflow.comm import Comm, world
from mpiflow.errors import InputError, NumericalError, StateError
from mpiflow.grids.fields.functional import Functional
from mpiflow.grids.periodic import Metric
from mpiflow.grids.spectral import Spectral
from mpiflow.grids.torus import FlatTorus
from mpiflow.job.job import run
from mpiflow.job.on_grid import OnGrid
from mpiflow.methods import registry
from mpiflow.plan.machine import Machine
from mpiflow.ranks.slabs import Slabs
from mpiflow.screen import Screen
from mpiflow.state import commit

RUN = {
    "manifold": {"family": "flat-torus", "points": 12},
    "kernel": {"name": "grid", "width": 0.6, "field": {"name": "ricci", "gauge": "deturck"}},
    "flow": {"dt": 0.1, "steps": 3},
}


def settings(**tables):
    return config.check({name: table | tables.get(name, {}) for name, table in RUN.items()}, "x.toml")


def made(folder, **tables):
    assert run(Comm(), settings(**tables), folder, Screen(0, quiet=True)) == 0
    return loader.latest(folder, pytest.fail)


def test_it_runs_resumes_and_is_done(tmp_path, capsys):
    whole = made(tmp_path / "whole")
    assert whole.arrays["method/metric"].shape == (12, 12, 3)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "STOP").write_text("2")
    assert run(Comm(), settings(), tmp_path / "parts", Screen(0, quiet=True)) == 75
    parts = made(tmp_path / "parts")
    for name, array in whole.arrays.items():
        if not name.startswith("timing/"):
            np.testing.assert_array_equal(parts.arrays[name], array)
    assert run(Comm(), settings(), tmp_path / "parts", Screen(0)) == 0
    assert "there is nothing to do" in capsys.readouterr().out
    summary = json.loads((tmp_path / "whole" / "report" / "summary.json").read_text())
    assert {row["measure"] for row in summary["evaluation"]} >= {"time", "volume", "integral_R2"}
    assert (tmp_path / "whole" / "report" / "loss.png").stat().st_size > 5000


@pytest.mark.parallel([2, 3])
@pytest.mark.parametrize("d", [2, 3])
def test_bits_do_not_depend_on_the_ranks(d):
    here, alone = (_flowed(comm, d) for comm in (world(), Comm()))
    for found, expected in zip(here, alone, strict=True):
        np.testing.assert_array_equal(found, expected)


def _flowed(comm, d):
    keys = FlatTorus.Keys(dimension=d, points=9, modes=2, amplitude=0.05)
    space = FlatTorus(keys).placed(Slabs(comm, 9, FlatTorus(keys).columns))
    u = space.start()
    u = u + 0.01 * space.ricci(u, 0.7, "lambda") + 0.01 * space.ricci(u, 0.0, "perelman", "frobenius")
    value, where = space.least(u)
    return (
        comm.allgather_rows(np.ascontiguousarray(np.moveaxis(u, 0, -1))),
        list(space.measures(u).values()),
        value,
        where,
    )


#: Spaces that every rank has whole, and steps that suit them.
WHOLE = {"sphere": 1e-3, "three-sphere": 1e-3, "neck": 1e-3, "plane": 1e-3, "conformal-torus": 1e-2}


@pytest.mark.parallel([3])
def test_a_space_that_every_rank_has_whole_has_the_same_bits_there_also_from_a_state():
    for family, dt in WHOLE.items():
        table = {"manifold": {"family": family, "points": 12}, "kernel": {"name": "grid"}}
        run_file = config.check(table | {"flow": {"dt": dt, "steps": 4}}, "x.toml")
        here, alone, later = (OnGrid.begun(comm, run_file).flow for comm in (world(), Comm(), world()))
        for flow in (here, here, alone, alone):
            flow.step()
        kept = here.snapshot()
        later.restore(kept.__getitem__)
        for flow in (here, alone, later):
            flow.step()
        for found in (here, later):
            np.testing.assert_array_equal(found.theta, alone.theta, family)


class Curved(Functional):
    """A slope of all rows that needs no JAX: R g^ij."""

    name = "curved-slope"

    def slope(self, u):
        metric = Metric(u)
        return metric.scalar * metric.inverse


@pytest.mark.parallel([3])
def test_a_slope_of_the_whole_grid_is_that_of_one_rank():
    """8 rows on three ranks: a user's formula knows nothing of slabs."""
    u = FlatTorus(FlatTorus.Keys(points=8, modes=1, amplitude=0.02)).start()
    alone = FlatTorus(FlatTorus.Keys(points=8, modes=1))
    slab = Slabs(world(), 8, alone.columns)
    here, field = alone.placed(slab), Curved()
    own = u[:, slab.rows]
    np.testing.assert_array_equal(field.velocity(here, own, 0.3), field.velocity(alone, u, 0.3)[:, slab.rows])
    assert field.step_limit(here, own, 0.3) == field.step_limit(alone, u, 0.3)


def test_a_transform_is_turned_round_its_ranks_and_back():
    spectral = Spectral((9, 9, 9), Slabs(Comm(), 9, 9))
    field = np.random.default_rng(1).normal(size=(9, 9, 9))
    expected = np.fft.rfftn(field) * spectral.kept
    np.testing.assert_allclose(spectral.forward(field), expected, atol=1e-11)


OWN = """
from mpiflow.grids.fields import Field


class Slow(Field):
    \"\"\"The Ricci flow, slowed down.\"\"\"

    share: float = 1.0

    def velocity(self, space, u, width):
        return self.share * space.ricci(u, width, "hamilton")
"""


def test_a_flow_of_ones_own_is_one_like_ours(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "x.toml").write_text(settings().text().replace('name = "ricci"', 'name = "mine.py:Slow"\nshare = 0.5'))
    text = (tmp_path / "x.toml").read_text()
    (tmp_path / "x.toml").write_text(
        "\n".join(line for line in text.splitlines() if "gauge" not in line and "index" not in line)
    )
    assert run(Comm(), config.read(tmp_path / "x.toml"), tmp_path / "slow", Screen(0, quiet=True)) == 0
    slow = loader.latest(tmp_path / "slow", pytest.fail)
    ours = made(tmp_path / "ours", kernel={"field": "ricci"}, flow={"dt": 0.05})
    np.testing.assert_allclose(slow.arrays["method/metric"], ours.arrays["method/metric"], rtol=1e-12, atol=1e-14)
    assert "class Slow" in slow.attributes["field_text"]


LOST = {
    "kernel": {"field": {"name": "ricci", "gauge": "perelman", "index": "frobenius"}},
    "manifold": {"amplitude": 0.2},
}


def test_a_metric_that_is_lost_names_place_and_time_and_leaves_the_state_before(tmp_path):
    with telling(NumericalError, "flow.dt") as lost:
        run(Comm(), settings(flow={"dt": 0.02, "steps": 40}, **LOST), tmp_path / "run", Screen(0, quiet=True))
    assert re.search(r"t = 0\.\d+ to 0\.\d+\b.* \[\d+, \d+\]", str(lost.value))
    state = loader.latest(tmp_path / "run", pytest.fail)
    assert state.step > 1 and state.arrays["history/min_eigenvalue"][-1] > 0
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["state"] == "failed" and status["exit_code"] == 3


REFUSED = {
    ("flow.dt = 2", "kernel.width = 0.6"): {"flow": {"dt": 2.0}},
    ("kernel.width = 0.3", 0.524): {"kernel": {"width": 0.3}},
    ('kernel.field.gauge = "perelman"', "1e-6", "kernel.width"): {
        "kernel": {"width": 0.0, "field": {"name": "ricci", "gauge": "perelman"}},
        "flow": {"dt": 0.05, "steps": 100},
    },
    ("manifold.amplitude = 9", "[10, 7]"): {"manifold": {"amplitude": 9.0}},
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_cannot_be_is_refused_before_any_work(facts, tmp_path):
    with telling(InputError, *facts):
        run(Comm(), settings(**REFUSED[facts]), tmp_path / "run", Screen(0, quiet=True))
    assert not (tmp_path / "run").exists()


WRONG = {
    ("manifold.modes = 5", 12, 4): {"manifold": {"modes": 5}},
    ('manifold.family = "fermat"', 'kernel.name = "grid"'): {"manifold": {"family": "fermat"}},
    ("points.train, clusters.count",): {
        "points": {"train": 5},
        "clusters": {"count": 2},
    },
    ('flow.search = "euler"', "grid", "rk4"): {"flow": {"search": "euler"}},
}


@pytest.mark.parametrize("facts", WRONG, ids=str)
def test_a_mistake_is_named_in_one_line(facts):
    changed = {name: dict(table) for name, table in RUN.items()}
    for name, table in WRONG[facts].items():
        changed[name] = table if name not in RUN or "family" in table else changed[name] | table
    with telling(InputError, *facts):
        config.check(changed, "x.toml")


def test_who_takes_points_says_so(tmp_path):
    made(tmp_path / "run", flow={"steps": 0})
    for call in (lambda: package.open(tmp_path / "run"), lambda: package.run(settings())):
        with telling(InputError, 'manifold.family = "flat-torus"'):
            call()


def test_a_state_of_another_shape_is_not_believed(tmp_path):
    state = made(tmp_path / "run", flow={"steps": 1})
    arrays = state.arrays | {"method/metric": state.arrays["method/metric"][:, :-1]}
    path = commit.write(tmp_path, state.step, arrays, {k: v for k, v in state.attributes.items() if k != "schema"})
    with telling(StateError, path, "method/metric", "float64[12, 11, 3]", "float64[12, 12, 3]"):
        loader.read(path)


def test_a_plan_counts_what_a_rank_has(tmp_path):
    of = registry.of(settings()).costs().Costs
    large = settings(manifold={"dimension": 3, "points": 48})
    one, two = of(large, 1), of(large, 2)
    assert two.bytes()["flow"] / one.bytes()["flow"] == pytest.approx(0.52, abs=0.02)
    assert one.state == pytest.approx(8 * 6 * 48**3, rel=0.02)
    assert one.step(Machine())["transforms"] == pytest.approx(2 * two.step(Machine())["transforms"], rel=0.03)


def test_a_grid_that_fits_nowhere_is_refused_by_its_plan(tmp_path):
    (tmp_path / "x.toml").write_text(settings(manifold={"dimension": 3, "points": 4000}).text())
    found = mpiflow("plan", tmp_path / "x.toml", "--memory", "64")
    assert found.returncode == 2
    tells(found.stderr, "manifold.points = 4000", "64.00 GiB", "manifold.points = 250")
