"""Finite networks: metrics, losses and gradients against differences, closed forms and the geometry room."""

import re
from itertools import cycle

import jax
import numpy as np
import pytest
from facts import telling
from surfaces import configuration, dwork, fermat

from mpiflow import config, hermitian, losses, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry import charts, fubini_study, kaehler, projective
from mpiflow.methods import registry
from mpiflow.methods.registry import NETWORKS
from mpiflow.network import inputs, metrics, objective, place
from mpiflow.network.flow import architecture, training_columns
from mpiflow.network.objective import Objective
from mpiflow.network.predictor import NetworkPredictor, predicted
from mpiflow.network.training import order
from mpiflow.plan import fit
from mpiflow.ranks.shards import Layout
from mpiflow.settings.course import LOSSES

CHART = (0, 1)
KINDS = ("multiplicative", "additive", "potential")


def _points(surface, count=40, chart=CHART):
    points = sampling.chunk(surface, 3, sampling.TRAIN, 0, chart).map(lambda rows: rows[:count])
    return points, Layout(Comm(), np.zeros(len(points), np.int32), 1, [1.0])


def _goal(surface, kind, activation="gelu", **options):
    kind = NETWORKS.find(kind)(width=8, depth=2, activation=activation)
    if "loss" in options:
        options["loss"] = LOSSES.find(options["loss"])()
    return Objective(architecture(surface, kind), kind, **options)


def _theta(goal, seed=5):
    """Small parameters none of which is zero, with which metrics stay positive."""
    shape = goal.architecture
    return 0.3 * shape.initial(seed, silent=False) + 0.05 * np.random.default_rng(seed).normal(size=shape.size)


PENALTIES = [
    ("multiplicative", {}),
    ("multiplicative", {"loss": "log", "kaehler": 0.7, "transition": 0.3}),
    ("additive", {"sigma": 0.0, "kaehler": 1.0}),
    ("additive", {"loss": "monge-ampere", "transition": 2.0}),
    ("potential", {"loss": "monge-ampere"}),
]


@pytest.mark.parametrize(("kind", "options"), PENALTIES)
def test_gradients_agree_with_finite_differences(kind, options):
    surface = fermat(4)
    points, layout = _points(surface, chart=None)
    goal = _goal(surface, kind, **options)
    columns = training_columns(surface, goal, layout, points, 0.1)
    theta, direction = _theta(goal), np.random.default_rng(1).normal(size=goal.architecture.size)
    found = np.asarray(objective.chunk(goal, theta, columns))
    up, down = (float(objective.chunk(goal, theta + s * 1e-5 * direction, columns)[-1]) for s in (1, -1))
    assert abs(found[:-1] @ direction - (up - down) / 2e-5) < 1e-6 * np.linalg.norm(found[:-1]) * len(direction) ** 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_network_is_fubini_study(kind):
    surface = fermat(4)
    points, layout = _points(surface)
    goal = _goal(surface, kind)
    g = NetworkPredictor(surface, goal, goal.architecture.initial(1), CHART).metric(layout, points.z, points.chart)
    reference = fubini_study.pulled_back(points.z, charts.jacobian(surface, points.z, points.chart))
    np.testing.assert_allclose(g, reference, rtol=0, atol=1e-14)


def test_the_multiplicative_metric_is_entry_by_entry():
    surface = fermat(4)
    points, layout = _points(surface, 3)
    goal = _goal(surface, "multiplicative")
    theta = _theta(goal)
    g = NetworkPredictor(surface, goal, theta, CHART).metric(layout, points.z, points.chart)
    columns = inputs.component(surface, points.z, points.chart)
    assert (columns["x"][:, :5] + 1j * columns["x"][:, 5:] == points.z).all()
    for row in range(3):
        v = np.asarray(goal.architecture(theta, columns["x"][row]))
        expected = columns["reference"][row] * (1 + hermitian.from_reals(v[None])[0])
        np.testing.assert_allclose(g[row], expected, rtol=1e-13)
        np.testing.assert_allclose(np.asarray(metrics.reals(g[row])), hermitian.to_reals(g[row]), rtol=1e-12)


#: Losses that are a function of eta alone.
GIVEN = [name for name, kind in LOSSES.known().items() if not kind.asks]


@pytest.mark.parametrize(("kind", "loss"), list(zip(cycle(KINDS), GIVEN, strict=False)))
def test_the_loss_is_that_of_the_evaluation(kind, loss):
    surface = fermat(4)
    points, layout = _points(surface)
    goal = _goal(surface, kind, loss=loss)
    theta = _theta(goal)
    columns = training_columns(surface, goal, layout, points, 0.2)
    g = NetworkPredictor(surface, goal, theta, CHART).metric(layout, points.z, points.chart)
    value = goal.loss.value(losses.eta(g, points.omega2, 0.2))
    expected = (points.weight * value).sum() / points.weight.mean()
    assert float(objective.chunk(goal, theta, columns)[-1]) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
@pytest.mark.parametrize("surface", [fermat(4), dwork(3, 0.3)], ids=["quintic", "K3"])
def test_the_kaehler_loss_is_the_squared_defect(kind, surface):
    points, layout = _points(surface, 12, chart=None)
    goal = _goal(surface, kind, sigma=0.0, kaehler=1.0)
    theta = _theta(goal)
    predictor = NetworkPredictor(surface, goal, theta, "all")
    defect = kaehler.defect(
        surface, lambda z: predictor.metric(layout, z, points.chart), points.z, points.chart.astype(int)
    )
    columns = training_columns(surface, goal, layout, points, 1.0)
    every = [
        float(goal.at(theta, {name: column[row] for name, column in columns.items()})) for row in range(len(points))
    ]
    np.testing.assert_allclose(every, defect**2, rtol=1e-5)
    assert min(every) > 1e-5


def test_the_hessian_of_a_potential_agrees_with_differences():
    surface = fermat(4)
    points, _ = _points(surface, 1)
    goal, h = _goal(surface, "potential"), 1e-4
    theta, columns = 3 * _theta(goal), inputs.potential(surface, points.z, points.chart)
    z, vectors = columns["z"][0], columns["vectors"][0]
    found = np.asarray(jax.jit(metrics.hessian, static_argnums=0)(goal.architecture, theta, z, vectors))
    at = np.array([s + 1j * t for s, t in ((h, 0), (-h, 0), (0, h), (0, -h))])
    for v in (vectors[:, 0], (vectors[:, 0] + 1j * vectors[:, 2]) / np.sqrt(2)):
        around = projective.embedding(np.concatenate([z[None], z + at[:, None] * v]))
        phi = [float(goal.architecture(theta, row)[0]) for row in around]
        laplacian = (sum(phi[1:]) - 4 * phi[0]) / (4 * h * h)
        c = np.linalg.lstsq(vectors, v, rcond=None)[0]
        assert (c @ found @ c.conj()).real == pytest.approx(laplacian, rel=1e-5)


@pytest.mark.parametrize("surface", [fermat(4), dwork(3, 0.3)], ids=["quintic", "K3"])
def test_a_potential_is_kaehler_in_every_chart(surface):
    points, layout = _points(surface, 20, chart=None)
    goal = _goal(surface, "potential")
    predictor = NetworkPredictor(surface, goal, 3 * _theta(goal), "all")

    def metric(z):
        return predictor.metric(layout, z, points.chart)

    reference = fubini_study.pulled_back(points.z, charts.jacobian(surface, points.z, points.chart))
    assert np.abs(metric(points.z) - reference).max() > 1e-3
    assert kaehler.defect(surface, metric, points.z, points.chart).max() < 1e-7
    other = surface.second_chart_of(points.z)
    moved = charts.in_chart(points.z, other)
    change = charts.transition(surface, points.z, points.chart, other)
    carried = change.transpose(0, 2, 1) @ metric(points.z) @ change.conj()
    np.testing.assert_allclose(predictor.metric(layout, moved, other), carried, rtol=1e-10, atol=1e-12)


def test_a_potential_on_a_product_has_the_metric_and_the_curvature_of_its_values():
    """Of P(z_i) of each factor: phi knows no scale of any; all by differences of its values."""
    surface = configuration((1, 2), ((2, 3),), (1.0, 1.4), seed=2)
    points, layout = _points(surface, 12, chart=None)
    goal, d, h = _goal(surface, "potential"), surface.dimension, 1e-3
    known = predicted(surface, goal, 3 * _theta(goal), "all")
    scaled = points.z * np.array([2j, 0.7])[surface.member]
    np.testing.assert_allclose(known.potential(scaled), known.potential(points.z), rtol=1e-10)
    direction = (np.arange(d) + 1 + 0.3j) / 4

    def hessian(function):
        def at(step):
            return function(surface.displaced(points.z, points.chart, np.broadcast_to(step, (12, d))))

        return sum(at(u * h * direction) + at(-u * h * direction) - 2 * at(0) for u in (1, 1j)) / (4 * h**2)

    def along(g):
        return np.einsum("pab,a,b->p", g, direction, direction.conj()).real

    g = known.metric(layout, points.z, points.chart)
    wanted = along(g - surface.reference(points.z, points.chart))
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(hessian(known.potential), wanted, atol=1e-4 * np.abs(wanted).max())
    there, _ = known.curvature(points.z, points.chart)
    lower = surface.frame(points.z, points.chart).lower
    np.testing.assert_allclose(lower @ there @ lower.conj().swapaxes(1, 2), g, atol=1e-10)
    log_volume = hessian(lambda z: np.log(np.linalg.det(known.metric(layout, z, points.chart)).real))
    ricci = along(known.ricci(points.z, points.chart))
    np.testing.assert_allclose(log_volume, -ricci, atol=5e-3 * np.abs(ricci).max())


def test_the_transition_loss_is_zero_for_a_tensor_and_not_for_a_network():
    surface = fermat(4)
    points, layout = _points(surface, chart=None)
    goal = _goal(surface, "multiplicative", sigma=0.0, transition=1.0)
    columns = training_columns(surface, goal, layout, points, 1.0)
    assert float(objective.chunk(goal, goal.architecture.initial(1), columns)[-1]) < 1e-20
    assert float(objective.chunk(goal, _theta(goal), columns)[-1]) > 1e-3


def test_one_chart_reaches_others_by_jacobians():
    surface = fermat(4)
    points, layout = _points(surface)
    goal = _goal(surface, "additive")
    predictor = NetworkPredictor(surface, goal, _theta(goal), CHART)
    other = np.broadcast_to(np.array([2, 3], np.int8), points.chart.shape)
    moved = charts.in_chart(points.z, other)
    change = charts.transition(surface, points.z, points.chart, other)
    expected = change.transpose(0, 2, 1) @ predictor.metric(layout, points.z, points.chart) @ change.conj()
    np.testing.assert_allclose(predictor.metric(layout, moved, other), expected, rtol=1e-9, atol=1e-10)


def test_an_epoch_takes_every_point_once_and_no_two_take_the_same_order():
    first, second = order(3, 0, 1000), order(3, 1, 1000)
    assert (np.sort(first) == np.arange(1000)).all() and (first != second).any()
    assert (first == order(3, 0, 1000)).all() and (first != order(4, 0, 1000)).any()


GOOD = {"network": {"kind": "multiplicative"}, "flow": {"dt": 1e-3}}
BAD = {
    ("kernel, network",): {"kernel": {"name": "delta"}},
    ("network.kind", "additive, independent"): {"network": {}},
    ("network.heigth", "kind, width"): {"network": {"kind": "additive", "heigth": 3}},
    ("network.sigma = 0", "network.kaehler"): {"network": {"kind": "additive", "sigma": 0}},
    ('network.activation = "relu"', '"gelu"'): {"network": {"kind": "potential", "activation": "relu"}},
    ("network.kaehler, transition",): {"network": {"kind": "potential", "kaehler": 1}},
    ("network.transition = 1", 'points.chart = "all"'): {"network": {"kind": "additive", "transition": 1}},
    ("clusters.count = 2", 1): {"clusters": {"count": 2, "batch": 500}},
    ("flow.coupling", "network"): {"flow": {"dt": 1e-3, "coupling": "all"}},
}


@pytest.mark.parametrize("facts", BAD, ids=str)
def test_a_mistake_is_named_in_one_line(facts):
    with telling(InputError, "x.toml: " + facts[0], *facts[1:]):
        config.check(GOOD | BAD[facts], "x.toml")


def test_a_run_file_with_a_network_comes_back_as_it_was():
    settings = config.check(GOOD, "x.toml")
    assert config.loads(settings.text()) == settings and settings.method == "network"


@pytest.mark.parametrize("kind", ["multiplicative", "potential", "independent"])
def test_a_plan_counts_the_parameters_and_refuses_too_wide_a_network(kind):
    wide = config.check(GOOD | {"network": {"kind": kind, "width": 4096}}, "x.toml")
    costs = registry.of(wide).costs().Costs(wide, 2)
    assert costs.parameters == architecture(wide.surface(), wide.network).size
    fit.check(type(costs), costs, 0, fit.Limits(64, 2))
    with telling(InputError, "network.width = 4096", "2 ranks") as refusal:
        fit.check(type(costs), costs, 0, fit.Limits(1, 2))
    asked, fits = map(int, re.findall(r"network\.width = (\d+)", str(refusal.value)))
    assert 0 < fits < asked == 4096


def test_a_gpu_that_jax_does_not_see_is_refused(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert place("auto") == place("cpu") == "cpu"
    with telling(InputError, "run.backend = 'gpu'", "pip install 'jax[cuda12]'", "'auto'"):
        place("gpu")


def test_ranks_of_a_node_take_its_gpus_in_turn(monkeypatch):
    taken = {}
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "local_devices", lambda: ["first", "second"])
    monkeypatch.setattr(jax.config, "update", taken.__setitem__)
    assert place("auto", 3) == "gpu" and taken == {"jax_default_device": "second"}


def test_without_jax_the_cure_is_told_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "run.toml").write_text('[network]\nkind = "additive"\n[flow]\ndt = 1e-3\n')
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with telling(InputError, tmp_path / "run.toml", "network", "pip install 'mpiflow[nn]'"):
        config.read(tmp_path / "run.toml")
