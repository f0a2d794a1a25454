"""The flow of components: against a slow reference, as a predictor, at its fixed points, and where it breaks."""

import numpy as np
import pytest
from facts import telling
from inside import mpiflow as inside

from jobs import small
from mpiflow import config, dataset
from mpiflow.comm import Comm
from mpiflow.errors import NumericalError
from mpiflow.flows.component_predictor import ComponentPredictor
from mpiflow.job import evaluate
from mpiflow.methods import registry


def settings(**sections):
    base = {
        "points": {"train": 150, "test": 60},
        "kernel": {"name": "gaussian", "width": 0.4},
        "flow": {"dt": 0.03, "normalisation": "row", "steps": 5},
    }
    return config.check({name: base.get(name, {}) | sections.get(name, {}) for name in base | sections}, "test")


def made(c):
    surface = c.surface()
    train, _ = dataset.train_points(Comm(), surface, c)
    test = dataset.test_points(Comm(), surface, c, train)
    return surface, train, test, registry.of(c).flow(c, surface, train, {})


def reference_flow(c, surface, train, steps):
    """HR 3.5 with the kernel as a dense matrix and numpy alone."""
    g, z, omega2 = train.reference(surface), train.points.z, train.points.omega2
    matrix = c.kernel.tile(z, z)
    if c.flow.normalisation == "row":
        matrix = matrix / matrix.sum(1, keepdims=True)
    if c.flow.normalisation == "mean":
        matrix = matrix / len(z)
    weight = train.points.weight
    kappa = (weight * np.linalg.det(g).real / omega2).sum() / weight.sum()
    for _ in range(steps):
        eta = np.linalg.det(g).real / kappa / omega2
        slope = c.flow.loss.slope(eta) * eta
        g = g - c.flow.dt * np.einsum("pq,qij->pij", matrix, slope[:, None, None] * np.linalg.inv(g))
    return g


@pytest.mark.parametrize("kernel", [{"name": "gaussian", "width": 0.4}, {"name": "relu", "depth": 2}])
@pytest.mark.parametrize("normalisation", ["row", "mean", "sum"])
@pytest.mark.parametrize("loss", ["log", "sigma", "monge-ampere"])
@pytest.mark.parametrize("mode", ["resident", "symmetric"])
def test_flow_agrees_with_a_dense_reference(kernel, normalisation, loss, mode):
    dt = {"row": 0.02, "mean": 0.02, "sum": 0.02 / 150}[normalisation] * (0.1 if loss == "monge-ampere" else 1)
    c = settings(flow={"dt": dt, "normalisation": normalisation, "loss": loss}, engine={"mode": mode})
    c = c.model_copy(update={"kernel": config.check({"kernel": kernel, "flow": {"dt": 1}}, "test").kernel})
    surface, train, _, flow = made(c)
    for _ in range(5):
        flow.step()
    np.testing.assert_allclose(flow.metric, reference_flow(c, surface, train, 5), rtol=1e-9, atol=1e-11)


def at(flow, metric):
    """The flow at a metric (n, d, d), with nothing accumulated."""
    flow.restore({"metric/current": metric, "flow/accumulated_gradient": np.zeros_like(metric)}.__getitem__)


@pytest.mark.parametrize("name", ["gaussian", "delta", "relu"])
@pytest.mark.parametrize("coupling", ["none", "all"])
def test_accumulated_gradient_predicts_the_train_metric(name, coupling):
    kernel = {"gaussian": {"width": 0.4}, "delta": {}, "relu": {}}[name]
    c = settings(kernel={"width": 0.4}, flow={"coupling": coupling, "dt": 0.01}, clusters={"count": 3, "batch": 50})
    table = c.model_dump(exclude_none=True) | {"kernel": {"name": name, **kernel}}
    surface, train, _, flow = made(config.check(table, "test"))
    for _ in range(5):
        flow.step()
    predicted = flow.predictor().metric(train.layout, train.points.z, train.points.chart)
    np.testing.assert_allclose(predicted, flow.metric, rtol=1e-12, atol=1e-13)


def test_uncoupled_clusters_ignore_each_other():
    c = settings(flow={"coupling": "none"}, clusters={"count": 2, "batch": 150})
    surface, train, _, flow = made(c)
    matrix = c.kernel.tile(train.points.z, train.points.z)
    same = np.equal.outer(*[train.layout.label()[train.layout.rows]] * 2)
    v = np.random.default_rng(0).normal(size=(150, 9))
    expected = (matrix * same) @ v / (matrix * same).sum(1, keepdims=True)
    np.testing.assert_allclose(flow.sum.apply(v), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kernel", [{"name": "gaussian", "width": 0.4}, {"name": "delta"}, {"name": "relu"}])
@pytest.mark.parametrize("loss", ["log", "sigma", "monge-ampere"])
def test_the_exact_metric_of_the_torus_is_a_fixed_point(kernel, loss):
    c = config.check(
        {
            "manifold": {"ambient": 2},
            "points": {"train": 80, "test": 10},
            "kernel": kernel,
            "flow": {"dt": 0.01, "loss": loss, "kappa": "step"},
        },
        "test",
    )
    surface, train, _, flow = made(c)
    exact = 0.3 * train.points.omega2[:, None, None].astype(complex)
    at(flow, exact)
    for _ in range(3):
        record = flow.step()
    assert record.sigma_train < 1e-14
    np.testing.assert_allclose(flow.metric, exact, rtol=1e-13)


def test_a_step_that_loses_positivity_is_halved_and_told():
    c = settings(kernel={"width": 1.2}, flow={"dt": 1.0})
    *_, flow = made(c)
    record = flow.step()
    assert record.step_rejected > 0 and record.dt == 1.0 / 2**record.step_rejected
    assert record.min_eigenvalue > 0
    assert np.linalg.eigvalsh(flow.metric).min() == pytest.approx(record.min_eigenvalue)


@pytest.mark.parametrize("mode", ["resident", "streamed", "symmetric"])
def test_a_flow_that_cannot_go_on_names_the_point(mode):
    *_, flow = made(settings(engine={"mode": mode}))
    at(flow, np.where(np.arange(len(flow.metric))[:, None, None] == 7, np.nan, flow.metric))
    with telling(NumericalError, "train point 7", "flow.dt", "flow.clip"):
        flow.step()


def test_clipping_bounds_the_gradient_of_each_point():
    *_, plain = made(settings())
    *_, clipped = made(settings(flow={"clip": 0.5}))
    plain.step(), clipped.step()
    norms = np.linalg.norm(clipped.accumulated / clipped.rule.dt, axis=(1, 2))
    assert norms.max() <= 0.5 * (1 + 1e-12) < np.linalg.norm(plain.accumulated / plain.rule.dt, axis=(1, 2)).max()


def test_float32_stays_near_float64():
    *_, double = made(settings())
    *_, single = made(settings(run={"precision": "float32"}))
    for _ in range(5):
        double.step(), single.step()
    assert 0 < np.abs(single.metric - double.metric).max() < 3e-6


def test_evaluation_tells_kaehler_from_not():
    c = settings()
    surface, train, test, flow = made(c)
    flow.step()
    rows = evaluate.table(surface, flow.predictor(), train, {"train": train, "unseen": test})
    by = {(row.metric, row.points): row for row in rows}
    assert by["conformal", "unseen"].sigma < 1e-14 and by["conformal", "unseen"].defect > 0.5
    assert by["Fubini-Study", "unseen"].gain == 1 and by["Fubini-Study", "unseen"].defect < 1e-7
    assert by["flow", "unseen"].defect > 1e-3 and by["flow", "unseen"].positive == 1


def test_a_discontinuous_predictor_has_no_defect():
    c = settings(flow={"coupling": "none"}, clusters={"count": 2, "batch": 150})
    surface, train, test, flow = made(c)
    assert not flow.predictor().continuous
    assert evaluate.table(surface, flow.predictor(), train, {"unseen": test})[0].defect is None
    assert isinstance(flow.predictor(), ComponentPredictor)


def test_points_that_feel_nothing_have_no_row_sum(tmp_path):
    small(tmp_path)
    done = inside("run small.toml -o run --set kernel.width=1e-3 --set flow.normalisation=row", tmp_path)
    assert done.returncode == 3 and "flow.normalisation" in done.stderr and done.stderr.count("\n") == 1
