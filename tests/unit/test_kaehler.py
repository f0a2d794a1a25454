"""The Kaehler flow: exact slopes, the torus solved, the paper's protocol, restarts, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from facts import telling
from newton import solve
from surfaces import dwork, fermat

from mpiflow import hermitian, sampling
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.dataset import PointSet
from mpiflow.engine.low_rank import LowRank
from mpiflow.errors import InputError, NumericalError
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.functionals.log import Log
from mpiflow.functionals.monge_ampere import MongeAmpere as Square
from mpiflow.geometry.frames import frame
from mpiflow.job.job import run
from mpiflow.measures import sigma
from mpiflow.methods import potentials
from mpiflow.preconditioners.ricci import Ricci
from mpiflow.predictor import open_run
from mpiflow.ranks.chunks import Chunks
from mpiflow.ranks.shards import Layout
from mpiflow.screen import Screen


def point_set(surface, total, stream=sampling.TRAIN, chart=None, seed=0):
    _, points = sampling.sample(Comm(), surface, total, seed, stream, chart)
    return PointSet(Layout(Comm(), np.zeros(total, np.int32), 1, [1.0]), points, np.zeros(total, np.int32))


def problem(surface, degree, total, loss=None):
    train = point_set(surface, total)
    features = potentials.features(Comm(), surface, degree)
    here = frame(surface, train.points.z, train.points.chart)
    return (
        MongeAmpere(LowRank(Chunks(Comm(), total), features, here), train.points.weight, loss or Log()),
        features,
        train,
    )


def gain(surface, flow, points):
    reference = sigma(points.layout, points.points, points.reference(surface))
    return reference / sigma(points.layout, points.points, flow.watch(points)())


@pytest.mark.parametrize("loss", [Log(), Square()])
def test_gradient_against_differences(loss):
    equation, features, _ = problem(fermat(4), 6, 300, loss)
    rng = np.random.default_rng(0)
    c, v = 1e-3 * rng.normal(size=(2, len(features)))
    h = 1e-3
    slope = (equation.at(c + h * v).loss - equation.at(c - h * v).loss) / (2 * h)
    assert equation.gradient(equation.at(c)) @ v == pytest.approx(slope, rel=1e-5)


def test_points_of_any_density_tell_the_same_eta():
    equation, features, train = problem(fermat(3), 4, 400)
    form, share = fermat(3).form(train.points), np.random.default_rng(0).uniform(0.2, 1, 400)
    c = 1e-3 * np.random.default_rng(1).normal(size=len(features))
    whole, part = equation.at(c), MongeAmpere(equation.engine, share * form, Log(), form).at(c)
    ratio = part.eta / whole.eta
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert np.ptp(part.eta) > 0.1 and np.average(part.eta, weights=share * form) == pytest.approx(1)
    assert part.sigma == pytest.approx(np.average(np.abs(1 - part.eta), weights=share * form))


def test_recomputed_hessians_give_the_same_bits():
    equation, features, train = problem(fermat(3), 6, 600)
    engine = equation.engine
    again = LowRank(engine.chunks, features, engine.frame, memory=0.0)
    c = np.linspace(-1, 1, len(features))
    for _ in range(2):
        assert (engine.apply(c) == again.apply(c)).all()
    v = engine.apply(c)
    assert (engine.adjoint(v) == again.adjoint(v)).all()


def test_apply_and_adjoint_are_adjoint():
    equation, features, _ = problem(dwork(4, 0.5), 5, 700)
    rng = np.random.default_rng(1)
    c, v = rng.normal(size=len(features)), rng.normal(size=(700, 9))
    assert equation.engine.adjoint(v) @ c == pytest.approx((equation.engine.apply(c) * v).sum(), rel=1e-12)


@pytest.mark.parametrize(("degree", "accuracy"), [(8, 1e-6), (12, 1e-9)])
def test_torus_has_its_exact_metric(degree, accuracy):
    """On the torus eta = 1 pointwise is g = kappa |Omega|^2."""
    surface = fermat(2)
    equation, features, _ = problem(surface, degree, 400)
    found = solve(equation, np.zeros(len(features)))
    assert found.converged
    assert np.abs(equation.at(found.coefficients).eta - 1).max() < accuracy


def test_one_feature_equals_the_best_component_kernel():
    surface = fermat(4)
    train = point_set(surface, 1000, chart=(0, 1))
    flow = KaehlerFlow(surface, potentials.features(Comm(), surface, 2), train, KaehlerRule(0.3))
    for _ in range(20):
        flow.step()
    assert 4.5 < gain(surface, flow, point_set(surface, 1000, sampling.TEST, (0, 1))) < 6.5


def test_paper_protocol_gains_hundreds_on_unseen_points():
    surface = fermat(4)
    train = point_set(surface, 1000, chart=(0, 1))
    flow = KaehlerFlow(surface, potentials.features(Comm(), surface, 8), train, KaehlerRule(0.3))
    for _ in range(50):
        flow.step()
    assert gain(surface, flow, point_set(surface, 1000, sampling.TEST, (0, 1))) > 180
    assert flow.record().min_eigenvalue > 0


def test_k3_reaches_its_gain():
    surface = fermat(3)
    equation, features, _ = problem(surface, 6, 1000)
    found = solve(equation, np.zeros(len(features)))
    assert equation.at(np.zeros(len(features))).sigma / equation.at(found.coefficients).sigma > 200


def test_prediction_is_the_flow_on_its_own_points_and_transforms():
    surface = fermat(4)
    train = point_set(surface, 200)
    flow = KaehlerFlow(surface, potentials.features(Comm(), surface, 6), train, KaehlerRule(0.3))
    flow.step()
    g = flow.snapshot()["metric/current"]
    predicted = flow.predictor().metric(train.layout, train.points.z, train.points.chart)
    np.testing.assert_allclose(predicted, g, rtol=1e-9, atol=1e-12)
    assert np.abs(g - hermitian.from_reals(hermitian.to_reals(g))).max() < 1e-12


def test_potential_does_not_depend_on_the_scale_of_z():
    surface = fermat(4)
    train = point_set(surface, 100)
    flow = KaehlerFlow(surface, potentials.features(Comm(), surface, 4), train, KaehlerRule(0.3))
    flow.step()
    phi = flow.predictor().potential
    np.testing.assert_allclose(phi(train.points.z), phi(-3j * train.points.z), rtol=1e-12)


@pytest.mark.parametrize("refreeze", [None, 3])
def test_restart_continues_with_the_same_bits(refreeze):
    surface = fermat(3)
    train = point_set(surface, 300)
    features = potentials.features(Comm(), surface, 6)
    rule = KaehlerRule(0.3, refreeze=refreeze)
    whole, first, second = (KaehlerFlow(surface, features, train, rule) for _ in range(3))
    for _ in range(4):
        whole.step()
        first.step()
    state = first.snapshot()
    second.restore(lambda name, wanted=None: state[name])
    for _ in range(3):
        assert whole.step() == second.step()
    assert (whole.state.coefficients == second.state.coefficients).all()


def test_kaehler_ricci_flow_ends_at_the_solution():
    """d phi / dt = log eta decays like heat and ends where Gauss-Newton does, up to what the features leave over."""
    surface = fermat(3)
    train, features = point_set(surface, 400), potentials.features(Comm(), surface, 4)
    flow = KaehlerFlow(surface, features, train, KaehlerRule(0.02, preconditioner=Ricci()))
    records = [flow.step() for _ in range(60)]
    assert not any(record.step_rejected for record in records)
    equation, _, _ = problem(surface, 4, 400)
    solved = equation.at(solve(equation, np.zeros(len(features))).coefficients)
    assert records[-1].sigma_train < 2 * solved.sigma < 0.1 * records[0].sigma_train


def test_a_warm_start_moves_low_degrees_first():
    surface = fermat(4)
    features = potentials.features(Comm(), surface, 8)
    flow = KaehlerFlow(surface, features, point_set(surface, 200), KaehlerRule(0.45, refreeze=2, warm=4))
    flow.step()
    high = features.degree[1:] > 4
    assert not flow.state.coefficients[high].any() and flow.state.coefficients[~high].all()
    flow.step()
    flow.step()
    assert flow.state.coefficients[high].all()


def test_steps_that_lose_positivity_are_halved():
    surface = fermat(4)
    flow = KaehlerFlow(surface, potentials.features(Comm(), surface, 6), point_set(surface, 200), KaehlerRule(5.0))
    record = flow.step()
    assert record.step_rejected > 0
    assert record.dt == 5.0 / 2**record.step_rejected
    assert record.min_eigenvalue > 0


def test_too_few_points_are_refused_without_a_ridge():
    surface = fermat(4)
    train, features = point_set(surface, 20), potentials.features(Comm(), surface, 10)
    with telling(InputError, "points.train = 20", 37, "kernel.ridge > 0"):
        KaehlerFlow(surface, features, train, KaehlerRule(0.3))
    KaehlerFlow(surface, features, train, KaehlerRule(0.3, ridge=1e-6)).step()
    equation, _, _ = problem(surface, 10, 20)
    with telling(NumericalError, 37, "kernel.ridge > 0"):
        solve(equation, np.zeros(37))


def test_run_files_that_make_no_kaehler_flow_are_refused():
    good = {"kernel": {"name": "kaehler", "degree": 8}, "flow": {"dt": 0.3}}
    assert check(good, "here").kernel.degree == 8
    wrong = [
        ("kernel.degree = 8.5", good | {"kernel": {"name": "kaehler", "degree": 8.5}}),
        ("clusters.count = 2", good | {"clusters": {"count": 2}}),
        ("kernel.warm = 4", good | {"kernel": {"name": "kaehler", "warm": 4}}),
        ('run.precision = "float32"', good | {"run": {"precision": "float32"}}),
        ("flow.clip", good | {"flow": {"dt": 0.3, "clip": 1.0}}),
    ]
    for fact, table in wrong:
        with telling(InputError, fact):
            check(table, "here")


def test_finished_run_knows_its_potential_and_curvature(tmp_path):
    table = {
        "points": {"train": 100, "test": 50},
        "kernel": {"name": "kaehler", "degree": 6},
        "flow": {"steps": 8, "dt": 0.4},
    }
    assert run(Comm(), check(table, "here"), tmp_path / "run", Screen(0, True)) == 0
    model = open_run(tmp_path / "run")
    z = sampling.chunk(fermat(4), 9, sampling.EVALUATE, 0, None).z[:200]
    assert np.abs(model.eta(z) - 1).mean() < 0.1
    # Ricci-flat to the accuracy of eta: R_(a bbar) = -d dbar log eta.
    assert np.abs(model.ricci(z)).mean() < 0.3
    np.testing.assert_allclose(model.potential(z), model.potential(z[:, [1, 0, 2, 4, 3]]), atol=1e-10)
