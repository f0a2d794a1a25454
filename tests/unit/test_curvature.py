"""Curvature from exact fourth derivatives: against differences, its symmetries, and the Euler number."""

from __future__ import annotations

import numpy as np
import pytest

from mpiflow import build, losses, sampling
from mpiflow.comm import Comm
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.geometry import charts, curvature
from mpiflow.geometry.frames import frame
from mpiflow.geometry.hypersurface import dwork, fermat
from mpiflow.ranks.shards import Layout

SURFACES = [fermat(2), fermat(3), fermat(4), dwork(4, 0.5)]


def _predictor(surface, kind="invariant"):
    features = build.features(Comm(), surface, 5 if kind == "invariant" else 3, kind)
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
    features = build.features(Comm(), surface, 2)
    p = _points(surface, 5000)
    g, r = KaehlerPredictor(surface, features, np.zeros(len(features))).curvature(p.z, p.chart)
    number, error = curvature.euler_number(curvature.euler_density(g, r), 3, 1, 3)
    assert abs(number) < 3 * error
    assert error < 0.1


@pytest.mark.parametrize(("surface", "expected"), [(fermat(3), 24.0), (fermat(4), -200.0)])
def test_euler_number(surface, expected):
    """Any metric of the class will do: the integral is topological."""
    features = build.features(Comm(), surface, 2)
    p = _points(surface, 5000)
    g, r = KaehlerPredictor(surface, features, np.full(len(features), 0.02)).curvature(p.z, p.chart)
    number, error = curvature.euler_number(
        curvature.euler_density(g, r), surface.degree, surface.dimension, surface.degree
    )
    assert abs(number - expected) < 3 * error
    assert error < 0.1 * abs(expected)
