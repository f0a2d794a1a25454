"""The closed solution of a linear flow against matrix exponentials, Euler's steps and sampled networks (HR 2.9 - 2.12)."""

import numpy as np
import pytest
from facts import telling
from scipy.linalg import expm
from scipy.special import erf, ndtr

import mpiflow as library
from mpiflow import config, hermitian
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.flows.solved import Solution, covariance
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.cosine import Cosine
from mpiflow.kernels.erf import ErfNTK
from mpiflow.kernels.gelu import GeluNTK
from mpiflow.kernels.relu import ReluNTK

TABLE = {
    "manifold": {"ambient": 3},
    "points": {"train": 60, "test": 30},
    "kernel": {"name": "relu", "depth": 1},
    "flow": {"dt": 2.0, "steps": 3, "loss": "mse", "search": "exact"},
}


def flowed(changes=None, **flow):
    table = TABLE | (changes or {}) | {"flow": TABLE["flow"] | flow}
    return Flowing.begun(Comm(), config.check(table, "x")).finish()


def dense(made):
    """K over N at the train points, and from them to the unseen ones; what is learnt, less g_FS, as reals."""
    z, w = made.train.points.z, made.test.points.z
    kernel, train = made.config.kernel, made.train
    goal = made.config.flow.loss.target(train.reference(made.surface), train.points.omega2, made.flow.kappa)
    rest = hermitian.to_reals(goal - train.reference(made.surface))
    return kernel.tile(z, z) / len(z), kernel.tile(w, z) / len(z), rest


def test_the_flow_is_the_matrix_exponential_and_its_prediction_the_closed_formula():
    made = flowed()
    k, there, rest = dense(made)
    g = hermitian.to_reals(made.flow.metric - made.train.reference(made.surface))
    np.testing.assert_allclose(g, rest - expm(-6 * k) @ rest, atol=1e-11)
    unseen = hermitian.to_reals(made.watched() - made.test.reference(made.surface))
    expected = there @ np.linalg.solve(k, rest - expm(-6 * k) @ rest)
    np.testing.assert_allclose(unseen, expected, atol=1e-9)
    assert np.abs(expected).max() > 0.01


def test_one_step_is_as_good_as_many_and_eulers_tend_to_it():
    whole, parts = flowed(dt=6.0, steps=1), flowed(dt=0.5, steps=12)
    np.testing.assert_allclose(whole.flow.metric, parts.flow.metric, atol=1e-12)
    assert whole.history.arrays()["loss"][-1] == pytest.approx(parts.history.arrays()["loss"][-1])
    errors = []
    for steps in (24, 48):
        euler = flowed(dt=6.0 / steps, steps=steps, search="euler")
        errors.append(np.abs(euler.watched() - whole.watched()).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


def test_clusters_are_solved_one_by_one():
    changes = {"clusters": {"count": 3}}
    made, euler = flowed(changes), flowed(changes, dt=6.0 / 400, steps=400, search="euler")
    moved = np.abs(made.watched() - made.test.reference(made.surface)).max()
    assert np.abs(made.watched() - euler.watched()).max() < 0.02 * moved
    assert np.abs(made.flow.metric - euler.flow.metric).max() < 0.02 * moved


def test_after_all_time_a_torus_is_flat():
    model = library.run(TABLE | {"manifold": {"ambient": 2}, "flow": TABLE["flow"] | {"dt": 1e30, "steps": 1}})
    train, unseen = model.evaluate(100, 3)[:2]
    assert train.gain > 1e6 and unseen.gain > 4


#: The kernel's own activation, and a finite network's.
ACTIVATIONS = {
    ReluNTK: lambda t: np.maximum(t, 0),
    ErfNTK: erf,
    GeluNTK: lambda t: t * ndtr(t),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_networks_begin_with_the_covariance_of_nngp(kind):
    kernel, width, rng = kind(depth=2, w_std=1.3, b_std=0.4), 4000, np.random.default_rng(0)
    z = rng.normal(size=(7, 4)) + 1j * rng.normal(size=(7, 4))
    rows = np.concatenate([z.real, z.imag], axis=1)
    for _ in range(2):
        weights, bias = rng.normal(size=(rows.shape[1], width)), rng.normal(size=width)
        rows = ACTIVATIONS[kind](1.3 / rows.shape[1] ** 0.5 * rows @ weights + 0.4 * bias)
    exact = kernel.nngp(z, z)
    assert np.abs(1.3**2 / width * rows @ rows.T + 0.4**2 - exact).max() < 0.05 * exact.max()
    # What is trained beside the last layer adds a positive kernel to it.
    assert np.linalg.eigvalsh(kernel.tile(z, z) - exact).min() > 0


def test_the_band_is_the_spread_of_sampled_flows():
    """f_0 is drawn from the NNGP at train and unseen points, and every draw flows by the matrix exponential."""
    made = flowed(steps=2)
    z = np.concatenate([made.train.points.z, made.test.points.z])
    k, there, _ = dense(made)
    root = np.linalg.cholesky(made.config.kernel.nngp(z, z) + 1e-10 * np.eye(90))
    first = root @ np.random.default_rng(1).normal(size=(90, 4000))
    after = first[60:] - there @ np.linalg.solve(k, first[:60] - expm(-4 * k) @ first[:60])
    band = made.predictor().band(made.test.layout, made.test.points.z, 4.0)
    np.testing.assert_allclose(band, after.std(1), rtol=0.08)
    model = library.run(TABLE | {"flow": TABLE["flow"] | {"steps": 2}})
    np.testing.assert_allclose(model.band(model.test.points.z), band, rtol=1e-12)
    # At the start it is that of the networks.
    begun = made.predictor().band(made.test.layout, made.test.points.z, 0.0)
    np.testing.assert_allclose(begun**2, np.diag(made.config.kernel.nngp(z, z))[60:], rtol=1e-12)


def test_where_only_the_last_layer_is_trained_all_networks_end_alike():
    kernel, rng = Cosine(w_std=1.0), np.random.default_rng(0)
    x = rng.normal(size=(8, 3)) + 0j
    rows = Solution(kernel.tile(x, x)).rows(kernel.tile(x, x), np.inf)
    prior = kernel.nngp(x, x)
    assert np.abs(covariance(rows, prior, prior, prior)).max() < 1e-9


REFUSED = {
    ('flow.search = "exact"', "log", 'flow.loss = "mse"'): ({}, {"loss": "log"}),
    ('flow.search = "exact"', 'flow.normalisation = "row"'): ({}, {"normalisation": "row"}),
    ('flow.loss = "mse"', "flow.natural_gradient"): ({}, {"search": "euler", "natural_gradient": True}),
    ('flow.loss = "mse"', "kaehler"): ({"kernel": {"name": "kaehler"}}, {"search": "euler"}),
    ('flow.search = "exact"', "kaehler", "euler, gauss-newton"): ({"kernel": {"name": "kaehler"}}, {"loss": "log"}),
    ("kernel.networks = 4", 'flow.search = "exact"'): ({"kernel": {"name": "cosine", "units": 8, "networks": 4}}, {}),
    ('flow.search = "exact"', "60 x 60", "engine.memory", "1e-06 GiB"): ({"engine": {"memory": 1e-6}}, {}),
    ('flow.search = "exact"', 'kernel.name = "relu"', 'flow.search = "euler"'): (
        {"kernel": {"name": "gaussian", "width": 1.0}},
        {},
    ),
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_has_no_closed_solution_is_one_line(facts):
    changes, flow = REFUSED[facts]
    with telling(InputError, *facts):
        flowed(changes, **flow)


def test_bands_of_other_flows_are_refused():
    other = library.run(TABLE | {"flow": {"dt": 0.01, "steps": 1}})
    with telling(InputError, "band", 'flow.loss = "mse"'):
        other.band(other.test.points.z)
    made = flowed({"kernel": {"name": "gaussian", "width": 0.1}}, search="euler", dt=0.01)
    with telling(InputError, "band", "gaussian", "relu"):
        made.predictor().band(made.test.layout, made.test.points.z, 1.0)
