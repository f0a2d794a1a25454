"""Small faults that once passed every test: each of these fails where one of them is put into the code."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from facts import telling
from points import fermat as points_of
from surfaces import fermat
from test_flow import made, settings

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.errors import NumericalError, StateError
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.geometry import curvature
from mpiflow.job import evaluate
from mpiflow.job.job import run
from mpiflow.kernels import kaehler
from mpiflow.predictor import open_run
from mpiflow.screen import Screen
from mpiflow.searches.gauss_newton import shortened
from mpiflow.state.holder import LOCK
from mpiflow.state.lock import RunLock


def test_a_halved_step_accumulates_what_was_taken():
    _, train, _, flow = made(settings(kernel={"width": 1.2}, flow={"dt": 1.0}))
    assert flow.step().step_rejected
    predicted = flow.predictor().metric(train.layout, train.points.z, train.points.chart)
    np.testing.assert_allclose(predicted, flow.metric, rtol=1e-12, atol=1e-13)


def test_the_loss_of_a_record_is_the_mean_over_x():
    _, train, _, flow = made(settings())
    record = flow.step()
    eta = np.linalg.det(flow.metric).real / flow.kappa / train.points.omega2
    assert record.loss == pytest.approx(np.average(np.log(eta) ** 2, weights=train.points.weight), rel=1e-12)


def test_the_blamed_point_is_told_by_its_number_in_the_data_set():
    _, train, _, flow = made(settings(clusters={"count": 3, "batch": 50}))
    rows = train.layout.rows
    place = int(np.flatnonzero(rows != np.arange(len(rows)))[0])
    metric = flow.metric
    metric[place] = np.nan
    flow.restore({"metric/current": metric, "flow/accumulated_gradient": flow.accumulated}.__getitem__)
    with telling(NumericalError, f"train point {rows[place]}"):
        flow.step()


def test_positive_is_the_share_of_points_where_the_metric_is():
    surface, train, test, _ = made(settings())

    def turned(points):
        g = points.reference(surface)
        g[::4] *= -1
        return lambda z: g[: len(z)]

    found = evaluate.row(surface, "turned", "unseen", test, train, turned, continuous=False)
    assert found.positive == pytest.approx(1 - len(range(0, 60, 4)) / 60)


def test_a_model_has_the_kappa_of_its_train_points_and_its_table_unseen_ones(tmp_path):
    c = settings(flow={"steps": 2})
    assert run(Comm(), c, tmp_path / "run", Screen(quiet=True)) == 0
    model = open_run(tmp_path / "run")
    p = model.train.points
    assert (p.weight * model.eta(p.z)).sum() / p.weight.sum() == pytest.approx(1, abs=1e-13)
    from mpiflow.job import report

    rows = {(row.metric, row.points): row.count for row in report.read(tmp_path / "run")[1]}
    assert rows["flow", "train"] == 150 and rows["flow", "unseen"] == 60


@pytest.mark.parametrize("objective, direction", [("gain", "MAXIMIZE"), ("sigma", "MINIMIZE")])
def test_a_study_goes_where_its_objective_does(objective, direction, tmp_path):
    pytest.importorskip("optuna")
    from mpiflow.tune import journal, space

    c = settings(tune={"objective": objective})
    study = journal.opened(tmp_path, c, space.dimensions(c.moved_by.space, None), seed=1)
    assert study.direction.name == direction


def test_noise_has_the_scale_that_was_asked_for():
    surface, scale = fermat(4), 1e-3
    points = sampling.chunk(surface, 1, sampling.TRAIN, 0, (0, 1)).map(lambda rows: rows[:400])
    moved = sampling.noisy(surface, np.arange(400), points, 1, sampling.TEST, scale, project=False)
    step = np.abs(moved.z - points.z)[:, 1:]
    assert np.sqrt((step**2).mean()) == pytest.approx(scale, rel=0.05)


def test_the_kernels_lock_is_asked_whatever_the_file_says(tmp_path):
    held = os.open(tmp_path / LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(StateError), RunLock(tmp_path, patience=0):
            pass
    finally:
        os.close(held)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP"])
def test_every_signal_that_asks_for_a_stop_is_noted(name):
    # A signal that is ignored, as where the tests run in the background, would stay so.
    line = f"import os, signal; signal.signal(signal.{name}, signal.SIG_DFL); from mpiflow.job import triggers; "
    line += f"triggers.install(); os.kill(os.getpid(), signal.{name})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{line}; print(triggers.hearing.received)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == f"['{name}']" and done.returncode == 0
    assert getattr(signal, name).value


def test_a_potential_takes_no_step_that_raises_the_loss(monkeypatch):
    from mpiflow.methods import potentials

    surface, train, *_ = made(settings())
    flow = KaehlerFlow(surface, potentials.features(Comm(), surface, 2), train, KaehlerRule(0.3))
    nothing = np.zeros_like(flow.state.coefficients)
    assert flow.tried(nothing) is not None
    for change in ({"objective": 1.001 * flow.state.objective}, {"least": -1e-9}):
        found = dataclasses.replace(flow.state, **change)
        monkeypatch.setattr(flow.problem, "at", lambda coefficients, found=found: found)
        assert flow.tried(nothing) is None


def test_a_ridge_is_what_the_run_file_says():
    rng = np.random.default_rng(0)
    rows, weight, residual = rng.normal(size=(5, 200)), rng.uniform(1, 2, 200), rng.normal(size=200)
    normal = kaehler.Normal(kaehler.gram(rows, weight, residual), ridge=0.3)
    centred = rows - (rows * weight).sum(1, keepdims=True) / weight.sum()
    matrix = (centred * weight) @ centred.T / weight.sum()
    matrix += 0.3 * np.diag(np.diag(matrix))
    np.testing.assert_allclose(normal.solve(np.ones(5)), np.linalg.solve(matrix, np.ones(5)), rtol=1e-10)


def test_points_of_a_line_count_once_for_the_error_of_the_euler_number():
    lines = np.random.default_rng(0).normal(size=100)
    number, error = curvature.euler_number(np.repeat(lines, 5), volume=5, dimension=3, group=5)
    assert number == pytest.approx(5 / 6 * lines.mean())
    assert error == pytest.approx(5 / 6 * lines.std(ddof=1) / 10)


def test_near_pairs_are_computed_by_the_wedge_form_up_to_where_they_matter():
    from mpiflow.geometry.projective import distance
    from mpiflow.kernels.near import distances

    x = points_of(40)
    y = x + 1e-5 * points_of(40, seed=1)
    np.testing.assert_allclose(np.diag(distances(x, y)), distance(x, y), rtol=1e-6)


def test_of_two_sources_that_are_nearly_as_near_delta_takes_the_nearer():
    from mpiflow.kernels.delta import Delta

    x = points_of(1)
    away = points_of(1, seed=1) - x
    y = np.concatenate([x + 1.000001e-7 * away, x + 1e-7 * away])
    np.testing.assert_array_equal(Delta().tile(x, y), [[0.0, 1.0]])
    np.testing.assert_array_equal(Delta().tile(x, y[::-1]), [[1.0, 0.0]])


@pytest.mark.parametrize(("dt", "shorter"), [(1e30, True), (1.0, False)])
def test_a_step_of_gauss_newton_that_is_far_too_long_is_told_as_one(dt, shorter):
    lost = SimpleNamespace(coefficients=np.zeros(1), least=-2.0, objective=np.inf)
    with telling(NumericalError, f"flow.dt = {dt:g}", "kernel.degree") as refusal:
        shortened(SimpleNamespace(at=lambda coefficients: lost), lost, np.ones(1), dt)
    assert ("flow.dt = 1," in str(refusal.value)) == shorter
