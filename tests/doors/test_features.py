"""A space of features is one file: dropped in, it runs, resumes on other ranks, is planned, evaluated, held in states."""

import h5py
import numpy as np
import pytest
from dropping import begin, holds
from facts import telling
from features import TORUS, dropped

from jobs import mpiflow
from mpiflow import config, hermitian, sampling
from mpiflow.belief import loader
from mpiflow.errors import InputError
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.plan import report
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine
from mpiflow.tune.variant import variant


@pytest.fixture
def torus(tmp_path):
    """The class of the dropped file, in this process."""
    return config.read(dropped(tmp_path)).kernel.features.kind


def test_a_dropped_space_runs_from_its_run_file_to_an_evaluation(tmp_path):
    path = dropped(tmp_path)
    whole = tmp_path / "whole"
    begin(path)
    model = holds(path)
    with h5py.File(sorted(whole.glob("state-*.h5"))[-1]) as state:
        assert state["features/exponents"].shape == (34, 4)
        assert state["features/exponents"].dims[1][0].name == "/exponents_axis_1"
    assert min(row.gain for row in model.evaluate(200, 5) if row.metric == "flow") > 20
    assert all(sound for _, sound, _ in loader.verify(whole))
    plan = report.facts(config.read(path), path, 2, Limits(64, 4), Machine())
    size = sorted(whole.glob("state-*.h5"))[-1].stat().st_size
    assert plan["engine"] == "low-rank, resident"
    assert plan["states"]["bytes_each"] == pytest.approx(size, rel=0.1)


def test_a_study_and_a_plan_of_other_degrees_keep_the_class(torus, tmp_path):
    settings = config.read(tmp_path / "torus.toml", ["kernel.features.first=5"])
    found = variant(settings, {"kernel.degree": 3}).kernel.features
    assert found == settings.kernel.features
    assert found.kind.count(Fermat(ambient=3).equation(), 3) == torus.count(Fermat(ambient=3).equation(), 3) - 4


def test_its_answers_are_those_of_any_space(torus):
    surface = Fermat(ambient=3).equation()
    made = torus.made(surface, 3, None)
    assert len(made) == torus.count(surface, 3) == 19
    assert set(made.arrays()) == {"features/exponents"}
    again = torus.of(made.arrays().__getitem__)
    z = np.random.default_rng(0).normal(size=(4, 4, 2)).view(complex)[..., 0]
    np.testing.assert_allclose(again.values(z), made.values(2j * z), rtol=1e-12)
    costs = torus.costs(surface, 3)
    assert (costs.features, costs.kept, costs.iterations) == (19, made.bytes(1, 2), 0)


def test_its_hessians_are_those_of_its_values(torus):
    """By the mean over a circle around each point, f + step^2 v.H.vbar + O(step^8) with eight points of it."""
    surface = Fermat(ambient=3).equation()
    made = torus.made(surface, 3, None)
    p = sampling.chunk(surface, 3, sampling.TRAIN, 0, None).map(lambda rows: rows[:6])
    here, step = surface.frame(p.z, p.chart), 2e-3
    rng = np.random.default_rng(2)
    v = rng.normal(size=(6, 2)) + 1j * rng.normal(size=(6, 2))
    hessian = here.lower @ hermitian.from_reals(made.prepare(here)) @ here.lower.conj().swapaxes(1, 2)
    expected = np.einsum("xa,mxab,xb->mx", v, hessian, v.conj()).real
    turned = [surface.displaced(p.z, p.chart, step * np.exp(0.25j * np.pi * k) * v) for k in range(8)]
    found = (np.mean([made.values(z) for z in turned], axis=0) - made.values(p.z)) / step**2
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()


def test_a_space_that_there_is_not_is_one_line():
    table = {"kernel": {"name": "kaehler", "features": "spherical"}, "flow": {"dt": 0.3}}
    with telling(InputError, 'kernel.features = "spherical"', "invariant, invariant-sections"):
        config.check(table, "here")


def test_what_a_space_does_not_know_is_refused(tmp_path):
    path = dropped(tmp_path)
    with telling(InputError, "kernel.warm = 2", "kernel.refreeze"):
        config.read(path, ["kernel.warm=2"])
    with telling(InputError, 'kernel.preconditioner = "ricci"', "generic", "natural, plain"):
        config.read(path, ["kernel.features=generic", "kernel.preconditioner=ricci"])


def test_a_state_takes_its_own_file_alone(tmp_path):
    path, folder = dropped(tmp_path), tmp_path / "run"
    assert mpiflow("run", path, "-o", folder, "--set", "flow.steps=1").returncode == 0
    (tmp_path / "mine.py").write_text(TORUS + "# changed")
    refused = mpiflow("run", path, "-o", folder)
    assert refused.returncode == 2 and "kernel.features" in refused.stderr and "SHA-256" in refused.stderr
    assert "torus" in mpiflow("info", folder).stdout
