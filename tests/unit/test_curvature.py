"""Curvature from exact fourth derivatives: against differences, its symmetries, and the Euler number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from newton import solve
from surfaces import dwork, fermat

from mpiflow import losses, measures, sampling
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.geometry import charts, curvature, fubini_study
from mpiflow.geometry.frames import frame
from mpiflow.methods import potentials
from mpiflow.ranks.chunks import Chunks
from mpiflow.ranks.shards import Layout

SURFACES = [fermat(2), fermat(3), fermat(4), dwork(4, 0.5)]


def _predictor(surface, kind="invariant"):
    features = potentials.features(Comm(), surface, 5 if kind == "invariant" else 3, kind)
    c = 2e-3 * np.random.default_rng(0).normal(size=len(features))
    return KaehlerPredictor(surface, features, c)


def _points(surface, count, seed=0):
    return sampling.chunk(surface, seed, sampling.TEST, 0, None).map(lambda rows: rows[:count])


@pytest.mark.parametrize("surface", SURFACES)
def test_metric_is_the_predicted_one(surface):
    predictor, p = _predictor(surface), _points(surface, 20)
    g, _ = predictor.curvature(p.z, p.chart)
    lower = frame(surface, p.z, p.chart).lower
    layout = Layout(Comm(), np.zeros(20, np.int32), 1, [1.0])
    expected = predictor.metric(layout, p.z, p.chart)
    np.testing.assert_allclose(lower @ g @ lower.conj().transpose(0, 2, 1), expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("surface", SURFACES)
def test_curvature_has_its_symmetries(surface):
    predictor, p = _predictor(surface), _points(surface, 20)
    _, r = predictor.curvature(p.z, p.chart)
    np.testing.assert_allclose(r, r.transpose(0, 3, 2, 1, 4), atol=1e-9 * np.abs(r).max())
    np.testing.assert_allclose(r, r.transpose(0, 1, 4, 3, 2), atol=1e-9 * np.abs(r).max())
    np.testing.assert_allclose(r, r.transpose(0, 2, 1, 4, 3).conj(), atol=1e-9 * np.abs(r).max())


@pytest.mark.parametrize("kind", ["invariant", "generic"])
@pytest.mark.parametrize("surface", SURFACES)
def test_ricci_is_minus_d_dbar_log_det(surface, kind):
    predictor, p = _predictor(surface, kind), _points(surface, 8)
    layout = Layout(Comm(), np.zeros(8, np.int32), 1, [1.0])
    rng = np.random.default_rng(1)
    v = rng.normal(size=(8, surface.dimension)) + 1j * rng.normal(size=(8, surface.dimension))
    v /= np.linalg.norm(v, axis=1)[:, None]
    step = 5e-3

    def log_det(factor):
        z = charts.displaced(surface, p.z, p.chart, factor * step * v)
        return np.log(losses.determinant(predictor.metric(layout, z, p.chart)))

    # The mean over a circle differs from the centre by step^2 v.(d dbar f).vbar + O(step^8).
    circle = np.mean([log_det(np.exp(2j * np.pi * k / 8)) for k in range(8)], axis=0) - log_det(0.0)
    expected = np.einsum("xa,xab,xb->x", v, predictor.ricci(p.z, p.chart), v.conj()).real
    assert np.abs(-circle / step**2 - expected).max() < 2e-3 * np.abs(expected).max()


def test_fubini_study_torus_is_flat_on_average():
    surface = fermat(2)
    features = potentials.features(Comm(), surface, 2)
    p = _points(surface, 5000)
    g, r = KaehlerPredictor(surface, features, np.zeros(len(features))).curvature(p.z, p.chart)
    number, error = curvature.euler_number(curvature.euler_density(g, r), 3, 1, 3)
    assert abs(number) < 3 * error
    assert error < 0.1


@pytest.mark.parametrize(("surface", "expected"), [(fermat(3), 24.0), (fermat(4), -200.0)])
def test_euler_number(surface, expected):
    """Any metric of the class will do: the integral is topological."""
    features = potentials.features(Comm(), surface, 2)
    p = _points(surface, 5000)
    g, r = KaehlerPredictor(surface, features, np.full(len(features), 0.02)).curvature(p.z, p.chart)
    number, error = curvature.euler_number(
        curvature.euler_density(g, r), surface.degree, surface.dimension, surface.degree
    )
    assert abs(number - expected) < 3 * error
    assert error < 0.1 * abs(expected)


@pytest.mark.parametrize("ambient", [2, 3, 4])
def test_curvature_is_that_of_projective_space_where_the_second_fundamental_form_vanishes(ambient):
    """At (1, w, 0, ...) on Fermat, by Gauss' equation: constant holomorphic curvature, all numbers known exactly."""
    surface, d = fermat(ambient), ambient - 1
    z = np.zeros((1, ambient + 1), np.complex128)
    z[0, :2] = 1.0, np.exp(1j * np.pi / (ambient + 1))
    features = potentials.features(Comm(), surface, 2)
    g, r = KaehlerPredictor(surface, features, np.zeros(len(features))).curvature(z, charts.chart_of(surface, z))
    one = np.eye(d)
    expected = np.einsum("ab,cd->abcd", one, one) + np.einsum("ad,cb->abcd", one, one)
    np.testing.assert_allclose(g[0], one, atol=1e-14)
    np.testing.assert_allclose(r[0], expected, atol=1e-12)
    np.testing.assert_allclose(curvature.ricci(g, r)[0], (d + 1) * one, atol=1e-12)
    assert curvature.scalar(g, r)[0] == pytest.approx(d * (d + 1), abs=1e-12)
    # The Euler number of P^d is d + 1, its volume pi^d / d!.
    assert curvature.euler_density(g, r)[0] / math.factorial(d) == pytest.approx(d + 1, abs=1e-12)


@pytest.mark.parametrize("surface", SURFACES)
def test_integral_of_the_scalar_curvature_vanishes(surface):
    """c_1(X) = 0, whatever the metric of the class: the integral of R omega^d is one of d dbar log eta."""
    predictor, p = _predictor(surface), _points(surface, 5000)
    g, r = predictor.curvature(p.z, p.chart)
    scalar = curvature.scalar(g, r) * losses.determinant(g)
    lines = scalar[: 5000 // surface.degree * surface.degree].reshape(-1, surface.degree).mean(1)
    assert abs(lines.mean()) < 3 * lines.std() / np.sqrt(len(lines))
    assert abs(lines.mean()) < 0.1 * np.abs(scalar).mean()


def test_a_solved_torus_is_flat():
    surface = fermat(2)
    features = potentials.features(Comm(), surface, 12)
    chunks = Chunks(Comm(), 512)
    train = sampling.chunk(surface, 0, sampling.TRAIN, 0, None).map(lambda rows: rows[:512])
    engine = LowRank(chunks, features, frame(surface, train.z, train.chart))
    found = solve(MongeAmpere(engine, train.weight), np.zeros(len(features)))
    p = _points(surface, 200)
    g, r = KaehlerPredictor(surface, features, found.coefficients).curvature(p.z, p.chart)
    assert np.abs(curvature.scalar(g, r)).max() < 1e-6


@pytest.mark.parametrize("ambient", [3, 4])
def test_ricci_measure_is_that_of_cymetric(ambient):
    """Its formula step by step: K = log|z|^2 / pi, log det g differentiated in ambient coordinates, plain means."""
    surface, d = fermat(ambient), ambient - 1
    p = _points(surface, 200)
    omega = charts.omega2(surface, p.z, p.chart)

    def metric(z):
        return fubini_study.pulled_back(z, charts.jacobian(surface, z, p.chart)) / np.pi

    second = _complex_hessian(lambda z: np.log(np.linalg.det(metric(z)).real), p.z)
    jacobian = charts.jacobian(surface, p.z, p.chart)
    r = np.einsum(
        "xba,xia,xij,xjb->x", np.linalg.inv(metric(p.z)), jacobian, second, jacobian.conj(), optimize=True
    ).real
    det = np.linalg.det(metric(p.z)).real
    # Weights are scaled such that the volume of g_FS is the degree.
    weight = omega / det * surface.degree
    vol_k, vol_cy = (det / omega * weight).mean(), weight.mean()
    expected = vol_k ** (1 / d) / vol_cy * (det / omega * np.abs(r) * weight).mean()

    features = potentials.features(Comm(), surface, 2)
    g, riemann = KaehlerPredictor(surface, features, np.zeros(len(features))).curvature(p.z, p.chart)
    ratio = 1 / p.weight
    eta = ratio / ((p.weight * ratio).sum() / p.weight.sum())
    scalar = curvature.scalar(g, riemann)
    np.testing.assert_allclose(-r / np.pi, scalar, atol=1e-5)
    assert curvature.ricci_measure(scalar, eta, p.weight, surface.degree, d) == pytest.approx(expected, rel=1e-6)


def _complex_hessian(f, z, step=1e-3):
    """d_i dbar_j f at (N, n+1) points by central differences, fourth order in the step: (N, n+1, n+1)."""
    size = z.shape[1]
    units = [unit * row for unit in (1.0, 1.0j) for row in np.eye(size)]

    def second(u, v, h):
        return (f(z + h * (u + v)) - f(z + h * (u - v)) - f(z - h * (u - v)) + f(z - h * (u + v))) / (4 * h**2)

    real = np.array([[(4 * second(u, v, step) - second(u, v, 2 * step)) / 3 for v in units] for u in units])
    xx, xy, yx, yy = real[:size, :size], real[:size, size:], real[size:, :size], real[size:, size:]
    return (xx + yy + 1j * (xy - yx)).transpose(2, 0, 1) / 4


def test_of_many_points_the_curvature_is_computed_at_some(monkeypatch):
    """Unbiased, with an error that says so; at fewer points, and at those where the form is large."""
    surface = fermat(3)
    predictor, p = _predictor(surface), _points(surface, 4000)
    layout = Layout(Comm(), np.zeros(4000, np.int32), 1, [1.0])
    whole = measures.curvature_of(surface, predictor, layout, p)
    seen, plain = [], predictor.curvature

    def counted(z, chart):
        seen.append(z)
        return plain(z, chart)

    monkeypatch.setattr(measures, "_WHOLE", 3999)
    monkeypatch.setattr(predictor, "curvature", counted)
    some = measures.curvature_of(surface, predictor, layout, p)
    z = np.concatenate(seen)
    assert 0.1 * 4000 < len(z) < 0.25 * 4000
    assert surface.described(z).weight.mean() > 1.1 * p.weight.mean()
    assert abs(some.euler - whole.euler) < 3 * some.error and whole.error < some.error < 3 * whole.error
    assert some.ricci == pytest.approx(whole.ricci, rel=0.1) and some.count == 4000
