"""A run as a function: the metric of a state at any point of X."""

import numpy as np
import pytest
from facts import telling
from inside import mpiflow as command

import mpiflow
from jobs import JOBS, small
from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError, StateError
from mpiflow.geometry import charts
from mpiflow.job import evaluate
from mpiflow.state.load import read


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictor")
    small(folder)
    done = command("run small.toml -o run --set flow.steps=4", folder)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def model(run):
    return mpiflow.open(run)


def test_it_gives_back_the_metric_of_the_state(run, model):
    state = read(sorted(run.glob("state-*.h5"))[-1])
    z, metric = state.arrays["points/z"], state.arrays["metric/current"]
    np.testing.assert_allclose(model.metric(z), metric, rtol=1e-12, atol=1e-13)
    order = np.random.default_rng(0).permutation(len(z))
    scale = np.exp(1j * np.arange(len(z)))[:, None] * 3.0
    np.testing.assert_allclose(model.metric((z * scale)[order]), metric[order], rtol=1e-11, atol=1e-12)


def test_a_state_file_opens_as_its_folder_does(run, model):
    early = mpiflow.open(run / "state-00000000.h5")
    assert early.step == 0 and model.step == 4
    z = sampling.sample(Comm(), model.surface, 20, 5, sampling.TEST, (0, 1))[1].z
    assert np.abs(early.metric(z) - model.metric(z)).max() > 1e-3


def test_sigma_comes_down_on_fresh_points(model):
    rows = {(row.metric, row.points): row for row in model.evaluate(200, seed=3)}
    assert rows["flow", "fresh"].gain > 1.2 and rows["Fubini-Study", "fresh"].gain == 1
    p = sampling.sample(Comm(), model.surface, 200, 3, sampling.EVALUATE, (0, 1))[1]
    eta = model.eta(p.z)
    kappa = (p.weight * eta).sum() / p.weight.sum()
    sigma = (p.weight * np.abs(1 - eta / kappa)).sum() / p.weight.sum()
    assert sigma == pytest.approx(rows["flow", "fresh"].sigma, rel=1e-9)


def test_other_charts_need_to_be_asked_for(model):
    p = sampling.sample(Comm(), model.surface, 60, 3, sampling.TEST, None)[1]
    with telling(InputError, "[0, 1]", "extrapolate"):
        model.metric(p.z)
    carried = model.metric(p.z, extrapolate=True)
    # The metric as a tensor is one, whatever chart it is written in: compare eta, which no chart enters.
    here = np.broadcast_to(np.array([0, 1], np.int8), p.chart.shape)
    change = charts.transition(model.surface, p.z, p.chart, here)
    back = change.transpose(0, 2, 1) @ carried @ change.conj()
    moved = charts.in_chart(p.z, here)
    ratio = np.linalg.det(back).real / charts.omega2(model.surface, moved, here)
    expected = np.linalg.det(carried).real / p.omega2
    np.testing.assert_allclose(ratio, expected, rtol=1e-6)
    rows = model.evaluate(80, seed=3, extrapolate=True)
    assert rows[1].points == "fresh" and np.isfinite(rows[1].defect)


@pytest.mark.parametrize(
    ("bad", "facts"),
    [
        (np.ones((3, 4)), ("(3, 4)", "(N, 5)")),
        (np.full((2, 5), np.nan), ("(2, 5)", "(N, 5)")),
        (np.ones((2, 5)), ("point 0", "1e-06")),
    ],
)
def test_points_that_are_not_on_x_are_refused(model, bad, facts):
    with telling(InputError, *facts):
        model.metric(bad)


def test_what_is_not_a_run_is_refused(tmp_path):
    with telling(StateError, tmp_path / "absent"):
        mpiflow.open(tmp_path / "absent")
    with telling(StateError, tmp_path):
        mpiflow.open(tmp_path)
    for nothing in (None, 3):
        with telling(InputError, f"path = {nothing}"):
            mpiflow.open(nothing)


def test_rows_have_no_numbers_that_json_lacks():
    row = evaluate.Row("flow", "train", 1, 0.0, float("inf"), 0.0, 1.0, 0.2, None)
    assert evaluate.plain(row)["gain"] is None and evaluate.plain(row)["sigma"] == 0.0


def test_curvature_needs_a_potential(model):
    with telling(InputError, "curvature", 'kernel.name = "kaehler"'):
        model.curvature(100, 1)


def test_a_kaehler_run_knows_its_curvature(tmp_path):
    words = ("--set", "manifold.ambient=3", "--set", "points.train=300", "--set", "flow.steps=20")
    done = command(["run", str(JOBS / "kaehler.toml"), "-o", ".", *words, "--set", "kernel.degree=6"], tmp_path)
    assert done.returncode == 0, done.stderr
    found = mpiflow.open(tmp_path).curvature(4000, 5)
    assert abs(found.euler - 24) < 4 * found.error < 10
    shown = command("evaluate . --points 200", tmp_path)
    assert "Ricci measure" in shown.stdout and "Euler number" in shown.stdout


def test_generic_features_of_one_chart_know_that_chart_alone(tmp_path):
    words = ("--set", "manifold.ambient=3", "--set", "points.train=300", "--set", "points.test=100")
    words += ("--set", "kernel.features=generic", "--set", "kernel.degree=2", "--set", "kernel.ridge=1e-6")
    done = command(["run", str(JOBS / "kaehler.toml"), "-o", ".", *words, "--set", "flow.steps=5"], tmp_path)
    assert done.returncode == 0, done.stderr
    model = mpiflow.open(tmp_path)
    z = sampling.sample(Comm(), model.surface, 60, 3, sampling.TEST, None)[1].z
    for ask in (model.metric, model.ricci):
        with telling(InputError, "[0, 1]", "extrapolate"):
            ask(z)
        assert np.isfinite(ask(z, extrapolate=True)).all()
    with telling(InputError, "curvature", "[0, 1]", 'points.chart = "all"'):
        model.curvature(100, 1)
    shown = command("evaluate . --points 200", tmp_path)
    assert shown.returncode == 0 and "--extrapolate" in shown.stdout and "+-" not in shown.stdout
    carried = command("evaluate . --points 200 --extrapolate", tmp_path)
    assert carried.returncode == 0 and "Chern-Gauss-Bonnet" in carried.stdout
