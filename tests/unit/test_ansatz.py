"""Potentials inside the logarithm: the chain rule against differences, symmetry, single precision, priors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from facts import telling
from logarithms import layout, made, predictor, train_set
from surfaces import fermat, random_quartic

from mpiflow import losses, sampling
from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.log import Log
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.engine.low_rank import LowRank
from mpiflow.errors import InputError
from mpiflow.flows.ladder import Ladder
from mpiflow.flows.linearised import gauss_newton
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.job import evaluate
from mpiflow.ranks.chunks import Chunks
from mpiflow.searches.gauss_newton import GaussNewton
from mpiflow.searches.lbfgs import LBFGS

FEATURES = [("invariant", fermat(4), 5), ("generic", random_quartic(), 2), ("generic", random_quartic(), 5)]


def equation(kind, surface, degree, total=100, **options):
    features = made(kind, surface, degree)
    train = train_set(surface, total)
    p = train.points
    phi = Composed(Log(), degree)
    engine = LowRank(Chunks(Comm(), total), features, surface.frame(p.z, p.chart), whole=True)
    return MongeAmpere(engine, p.weight, phi=phi, **options), p


def log_eta(found, surface, z):
    chart = surface.chart_of(z)
    g = found.metric(layout(len(z)), z, chart)
    return np.log(losses.determinant(g) / surface.omega2(z, chart))


@pytest.mark.parametrize(("kind", "surface", "degree"), FEATURES)
def test_metric_is_that_of_the_logarithm(kind, surface, degree):
    """By contraction, by jets, and by phi itself on a small circle."""
    found, p = predictor(kind, surface, degree), train_set(surface, 6).points
    g = found.metric(layout(6), p.z, p.chart)
    there = surface.frame(p.z, p.chart)
    by_jets = there.lower @ found.curvature(p.z, p.chart)[0] @ there.lower.conj().transpose(0, 2, 1)
    np.testing.assert_allclose(by_jets, g, rtol=1e-10, atol=1e-11)
    step, v = 3e-3, np.ones((6, surface.dimension)) / surface.dimension**0.5
    circle = [surface.displaced(p.z, p.chart, step * np.exp(2j * np.pi * k / 8) * v) for k in range(8)]
    mean = np.mean([found.potential(z) for z in circle], axis=0) - found.potential(p.z)
    expected = np.einsum("xa,xab,xb->x", v, g - surface.reference(p.z, p.chart), v.conj()).real
    assert np.abs(mean / step**2 - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize(("kind", "surface", "degree"), FEATURES)
def test_ricci_is_minus_d_dbar_log_eta(kind, surface, degree):
    found, p = predictor(kind, surface, degree, 0.03), train_set(surface, 6).points
    v = np.ones((6, surface.dimension)) * np.exp(1j * np.arange(surface.dimension)) / surface.dimension**0.5
    step = 5e-3

    def value(factor):
        z = surface.displaced(p.z, p.chart, factor * step * v)
        return np.log(losses.determinant(found.metric(layout(6), z, p.chart)))

    circle = np.mean([value(np.exp(2j * np.pi * k / 8)) for k in range(8)], axis=0) - value(0.0)
    expected = np.einsum("xa,xab,xb->x", v, found.ricci(p.z, p.chart), v.conj()).real
    assert np.abs(-circle / step**2 - expected).max() < 2e-3 * np.abs(expected).max()


def test_log_eta_is_the_same_at_symmetry_images():
    surface = fermat(4)
    found, z = predictor("invariant", surface, 8, 0.1), train_set(surface, 50).points.z
    image = z[:, [2, 0, 1, 4, 3]] * np.exp(2j * np.pi * np.array([0, 1, 2, 3, 4]) / 5)
    found_here, there = (log_eta(found, surface, surface.scaled(x)) for x in (z, image.conj()))
    np.testing.assert_allclose(there, found_here, rtol=0, atol=1e-12)


@pytest.mark.parametrize("weights", [None, "other"])
@pytest.mark.parametrize(("kind", "surface", "degree"), FEATURES[:2])
def test_slope_of_the_loss_is_its_difference(kind, surface, degree, weights):
    """Also where points weigh otherwise in the loss than in kappa, and where a prior is added to it."""
    other = np.linspace(0.5, 2.0, 100) if weights else None
    problem, _ = equation(kind, surface, degree, loss_weight=other)
    rng = np.random.default_rng(3)
    if weights:
        diagonal = rng.uniform(0.1, 1.0, problem.engine.size)
        problem.prior = lambda c: diagonal * c
    c, v = rng.normal(size=(2, problem.engine.size)) * 0.02 / problem.engine.size**0.5
    step = 1e-4
    ahead, behind = (problem.at(c + s * step * v).objective for s in (1, -1))
    assert problem.gradient(problem.at(c)) @ v == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)


def test_at_the_start_its_kernel_is_that_of_the_sum():
    """f'(0) = 1/k: the same tangent functions at g_FS, and others elsewhere."""
    surface = fermat(4)
    features, train = made("invariant", surface, 8), train_set(surface, 300)
    log = KaehlerFlow(surface, Ladder.of(features, 8), train, KaehlerRule(0.3, ansatz=Log()))
    linear = KaehlerFlow(surface, features, train, KaehlerRule(0.3))
    np.testing.assert_allclose(8 * log.slope(), linear.slope(), rtol=1e-10)
    for flow in (log, linear):
        flow.step()
    assert np.abs(8 * log.slope() - linear.slope()).max() > 0.1 * np.abs(linear.slope()).max()


@pytest.mark.parametrize(("degree", "bar"), [(4, 55), (6, 240)])
def test_gauss_newton_gains_what_the_prototype_did(degree, bar):
    """61 and 267 on unseen points of the quintic, where sums of the same functions gain 22 and 70."""
    surface = fermat(4)
    rule = KaehlerRule(1.0, ansatz=Log(), search=GaussNewton())
    flow = KaehlerFlow(surface, Ladder.of(made("invariant", surface, degree), degree), train_set(surface, 600), rule)
    for _ in range(8):
        flow.step()
    unseen = train_set(surface, 500, sampling.TEST)
    row = evaluate.flowed(surface, flow.predictor(), "unseen", unseen, unseen)
    assert row.gain > bar and row.positive == 1.0 and row.defect < 1e-8


@pytest.mark.parametrize(("kind", "surface", "degree"), FEATURES[:2])
def test_single_precision_against_double(kind, surface, degree):
    """Products to 1e-5 of the largest, and a step that is the same to 1e-3 of its length."""
    problem, p = equation(kind, surface, degree, 600)
    engine = problem.engine
    single = LowRank(engine.chunks, engine.features, engine.frame, whole=True, single=True)
    assert 2 * single.bytes == engine.bytes
    rng = np.random.default_rng(4)
    c, v = rng.normal(size=engine.size), rng.normal(size=(600, engine.reals))
    for there, here in ((single.apply(c), engine.apply(c)), (single.adjoint(v), engine.adjoint(v))):
        assert there.dtype == np.float64
        np.testing.assert_allclose(there, here, rtol=0, atol=1e-5 * np.abs(here).max())
    state, mixed = problem.at(0.01 * c / engine.size), MongeAmpere(engine, p.weight, phi=problem.phi, inner=single)
    steps = [gauss_newton(each, state, 1e-3, 15) for each in (problem, mixed)]
    assert np.linalg.norm(steps[1] - steps[0]) < 1e-3 * np.linalg.norm(steps[0])


def test_lbfgs_lowers_the_loss_by_slopes_alone():
    surface = fermat(3)
    rule = KaehlerRule(1.0, ansatz=Log(), search=LBFGS())
    flow = KaehlerFlow(surface, Ladder.of(made("invariant", surface, 6), 6), train_set(surface, 200), rule)
    records = [flow.record()] + [flow.step() for _ in range(3)]
    newest = [flow.memory[f"moved{place}"] for place in range(2)]
    records += [flow.step() for _ in range(37)]
    assert len({flow.memory[f"moved{place}"].tobytes() for place in range(10)}) == 10
    assert not any((flow.memory["moved0"] == old).all() for old in newest)
    assert all(later.loss <= earlier.loss * (1 + 1e-6) for earlier, later in zip(records, records[1:], strict=False))
    assert records[-1].sigma_train < 0.02 * records[0].sigma_train


def test_a_smooth_prior_is_worth_points():
    """Fewer points than functions: what no point tells, a smooth prior does better than a ridge on the steps."""
    surface = random_quartic()
    unseen, gains = train_set(surface, 600, sampling.TEST), []
    for rule in (KaehlerRule(1.0, ridge=0.1), KaehlerRule(1.0, ridge=3e-3, smooth=True)):
        rule = replace(rule, ansatz=Log(), search=GaussNewton(inner=30))
        flow = KaehlerFlow(surface, Ladder.of(made("generic", surface, 3), 3), train_set(surface, 250), rule)
        for _ in range(5):
            flow.step()
        gains.append(evaluate.flowed(surface, flow.predictor(), "unseen", unseen, unseen, defect=False).gain)
    assert gains[1] > 1.2 * gains[0]


def test_weights_of_the_loss():
    surface, train = fermat(3), train_set(fermat(3), 200)
    features, weight = made("invariant", surface, 4), train.points.weight
    found = {}
    for name in ("omega", "fubini-study", "capped"):
        flow = KaehlerFlow(surface, features, train, KaehlerRule(0.3, weights=name))
        found[name] = flow.problem.weight
        eta = flow.state.eta
        assert flow.state.loss == pytest.approx(np.average(np.log(eta) ** 2, weights=found[name]), rel=1e-12)
        assert flow.state.sigma == pytest.approx(np.average(np.abs(1 - eta), weights=weight), rel=1e-12)
    assert (found["omega"] == weight).all() and (found["fubini-study"] == 1).all()
    np.testing.assert_allclose(found["capped"], np.minimum(weight, 2 * weight.mean()), rtol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "run", "facts"),
    [
        ({"ladder": [3, 6]}, {}, ("kernel.ladder = [3, 6]", "kernel.degree = 8")),
        ({"ladder": [8, 3, 8]}, {}, ("kernel.ladder = [8, 3, 8]", "kernel.degree = 8")),
        ({"ladder": [8]}, {}, ("kernel.ladder = [8]", 2)),
        ({"ladder": [4, 8], "warm": 4, "refreeze": 2}, {}, ("kernel.ladder = [4, 8]", "kernel.warm")),
        ({"prior": "smooth"}, {}, ('kernel.prior = "smooth"', '"flat"')),
        ({"potential": "logarithm"}, {}, ('kernel.potential = "logarithm"', "linear, log")),
        ({"name": "delta"}, {"inner": "float32"}, ('run.inner = "float32"', "delta")),
    ],
)
def test_what_does_not_go_together_is_one_line(kernel, run, facts):
    kernel = kernel if "name" in kernel else {"name": "kaehler", "degree": 8} | kernel
    with telling(InputError, *facts):
        check({"run": run, "kernel": kernel, "flow": {"dt": 0.1}}, "here")


def test_where_the_logarithm_ends_there_is_no_metric_and_no_nan():
    """Of a form that is negative somewhere: -g_FS there, which no evaluation takes for a metric."""
    surface = random_quartic()
    features, unseen = made("generic", surface, 2), train_set(surface, 400)
    c = np.zeros(len(features))
    c[0] = -2.5
    found = KaehlerPredictor(surface, features, c, Composed(Log(), 2))
    p = unseen.points
    ended = c @ features_values(features, p.z) <= -1
    assert 0 < ended.sum() < 400
    g = found.metric(unseen.layout, p.z, p.chart)
    assert np.isfinite(g).all()
    np.testing.assert_allclose(g[ended], -surface.reference(p.z, p.chart)[ended], rtol=1e-9)
    row = evaluate.flowed(surface, found, "unseen", unseen, unseen, defect=False)
    assert row.positive <= 1 - ended.mean() and row.min_eigenvalue < 0


def features_values(features, z):
    """All reals of the features of a generic space at points: (P, N)."""
    return np.array([features.potential(z, unit) for unit in np.eye(len(features))])
