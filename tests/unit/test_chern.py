"""The Ricci form by differences, and the flows of components that it moves: one step of each, written out."""

import numpy as np
import pytest
from facts import telling
from surfaces import dwork, fermat

import mpiflow
from mpiflow import config, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError, NumericalError
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.geometry import chern
from mpiflow.job.flowing import Flowing
from mpiflow.methods import potentials
from mpiflow.ranks.shards import Layout

GAUSSIAN = {"name": "gaussian", "width": 0.3}


def exact(surface, z, chart, size=0.0):
    """The metric of a potential as a function of points, and its Ricci tensor by fourth derivatives."""
    features = potentials.features(Comm(), surface, 1, "generic")
    predictor = KaehlerPredictor(surface, features, np.full(len(features), size))
    layout = Layout(Comm(), np.zeros(len(z), np.int32), 1, [1.0])
    return lambda moved: predictor.metric(layout, moved, chart), predictor.ricci(z, chart)


@pytest.mark.parametrize("surface", [fermat(2), fermat(3), dwork(4, 0.5)], ids=["torus", "K3", "quintic"])
def test_it_is_the_ricci_tensor_of_a_kaehler_metric(surface):
    p = sampling.chunk(surface, 0, sampling.TEST, 0, None).map(lambda rows: rows[:3])
    metric_at, expected = exact(surface, p.z, p.chart, 0.01)
    found = chern.ricci(surface, metric_at, p.z, p.chart)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_a_conformal_factor_adds_its_own_form():
    surface = fermat(3)
    p = sampling.chunk(surface, 0, sampling.TEST, 0, None).map(lambda rows: rows[:3])
    metric_at, expected = exact(surface, p.z, p.chart)

    def conformal(z):
        """g_FS |z|^2 / |z_i|^2: not Kaehler, and log of its factor is the potential of g_FS."""
        return metric_at(z) * (np.abs(z) ** 2).sum(1)[:, None, None]

    found = chern.ricci(surface, conformal, p.z, p.chart)
    np.testing.assert_allclose(found, expected - 2 * metric_at(p.z), atol=1e-6 * np.abs(expected).max())


def begun(loss, kernel=GAUSSIAN, points=40, dt=1e-3, **flow):
    table = {"manifold": {"ambient": 3}, "points": {"train": points, "test": 30}, "kernel": kernel}
    flow = {"dt": dt, "coupling": "all", "normalisation": "sum", "loss": loss} | flow
    return Flowing.begun(Comm(), config.check(table | {"flow": flow}, "here"))


@pytest.mark.parametrize("loss", ["ricci", "ricci-local"])
def test_a_step_is_the_kernel_of_the_ricci_form_or_that_form_itself(loss):
    made = begun(loss)
    z, chart, seen = made.train.points.z, made.train.points.chart, made.test.points.z
    ricci = exact(made.surface, z, chart)[1].reshape(len(z), -1)
    kernel = made.config.kernel
    accumulated = ricci if loss == "ricci" else np.linalg.solve(kernel.tile(z, z), ricci)
    watched = made.flow.watch(made.test)
    made.flow.step()
    for points, metric, where in ((made.train, made.flow.metric, z), (made.test, watched(), seen)):
        moved = (points.reference(made.surface) - metric).reshape(len(where), -1) / made.config.flow.dt
        np.testing.assert_allclose(moved, kernel.tile(where, z) @ accumulated, atol=1e-6 * np.abs(ricci).max())
    if loss == "ricci-local":
        np.testing.assert_allclose(kernel.tile(z, z) @ accumulated, ricci, atol=1e-9 * np.abs(ricci).max())


def test_for_a_short_time_the_local_flow_is_the_non_local_one():
    short, through = begun({"name": "ricci-local", "time": 1e-7}), begun("ricci")
    found, expected = (made.flow.direction() for made in (short, through))
    np.testing.assert_allclose(found / 1e-7, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_a_step_beyond_positivity_beside_a_point_is_halved_or_refused_and_nothing_is_nan():
    made = begun("ricci-local", dt=1.0)
    record = made.flow.step()
    assert record.step_rejected > 0
    assert np.isfinite([record.loss, record.sigma_train]).all()
    made.flow.dt = 1e30
    with telling(NumericalError, "flow.dt = 1e+30", "flow.clip"):
        made.flow.step()


REFUSED = {
    ('flow.loss = "ricci"', "relu", 'kernel.name = "gaussian"'): {"kernel": {"name": "relu"}},
    ('flow.loss = "ricci"', 'run.precision = "float64"'): {"run": {"precision": "float32"}},
    ('flow.loss = "ricci"', "flow.natural_gradient"): {"flow": {"natural_gradient": True}},
    ('flow.loss = "ricci-local"', 'flow.normalisation = "row"'): {
        "flow": {"normalisation": "row", "loss": "ricci-local"}
    },
    ("flow.loss.time = 0.0",): {"flow": {"loss": {"name": "ricci-local", "time": 0.0}}},
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_has_no_ricci_flow_is_one_line(facts):
    table = {"kernel": GAUSSIAN, "flow": {"dt": 0.01, "loss": "ricci"}}
    for section, keys in REFUSED[facts].items():
        table[section] = keys if section == "kernel" else table.get(section, {}) | keys
    with telling(InputError, *facts):
        config.check(table, "here")


def test_a_kernel_that_is_not_positive_is_told_with_its_cure():
    with telling(InputError, 'flow.loss = "ricci-local"', "kernel.width", 'flow.loss = "ricci"'):
        begun("ricci-local", {"name": "gaussian", "width": 1.0}, points=300).prepare()


@pytest.mark.parametrize("name", ["cosine", "erf"])
def test_other_smooth_kernels_flow_too(name):
    model = mpiflow.run(
        {
            "manifold": {"ambient": 2},
            "points": {"train": 40, "test": 30},
            "kernel": {"name": name} | ({"units": 64} if name == "cosine" else {}),
            "flow": {"dt": 0.01, "steps": 2, "loss": "ricci", "normalisation": "mean"},
        }
    )
    assert model.history["history/loss"][-1] < model.history["history/loss"][0]
