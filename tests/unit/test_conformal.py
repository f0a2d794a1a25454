"""Conformal Ricci flow on T^2: rates of waves, step limits, and the flow run backwards."""

import numpy as np
import pytest

from mpiflow.grids.conformal import ConformalTorus
from mpiflow.grids.course import flowed


def wave(space, k, size=1e-7):
    x = 2 * np.pi * np.arange(space.keys.points) / space.keys.points
    return size * np.cos(k * x)[:, None] * np.ones(space.keys.points)


@pytest.mark.parametrize(("k", "width", "v"), [(1, 0.0, 1.0), (3, 0.0, 2.0), (2, 0.5, 1.0), (5, 0.3, 0.5)])
def test_waves_decay_at_their_rate(k, width, v):
    space, time = ConformalTorus(ConformalTorus.Keys(points=16)), 0.1
    u = v + wave(space, k)[None]
    after = flowed(space, time, width, u, share=0.02)
    rate = -np.log((after - v)[0, 0, 0] / 1e-7) / time
    assert rate == pytest.approx(k**2 * np.exp(-(width**2) * k**2 / 2) / v, rel=1e-6)


@pytest.mark.parametrize("points", [16, 32])
def test_a_non_local_step_may_be_as_long_on_any_grid(points):
    """2.785 e s^2 / 2 times the least of v."""
    space, width = ConformalTorus(ConformalTorus.Keys(points=points, height=0.0)), 0.4
    limit = space.step_limit(space.start(), width)
    assert limit == pytest.approx(2.785 * np.e * width**2 / 2, rel=0.02)
    noise = 1 + 1e-6 * np.random.default_rng(0).standard_normal((1, points, points))
    for share, stable in ((0.98, True), (1.02, False)):
        found = flowed(space, 200 * limit, width, noise, share)
        assert bool(np.isfinite(found).all() and np.ptp(found) < 1e-3) == stable


def test_the_integral_of_the_curvature_is_zero_and_the_area_stays():
    space = ConformalTorus(ConformalTorus.Keys())
    u = space.start()
    after = flowed(space, 0.1, 0.4, u=u)
    assert abs(space.measures(u)["integral_R"]) < 1e-11
    assert space.measures(after)["volume"] == pytest.approx(space.measures(u)["volume"], rel=1e-13)


def test_the_non_local_flow_runs_backwards():
    space = ConformalTorus(ConformalTorus.Keys(points=32))
    u = space.start()
    there = flowed(space, 0.5, 0.5, u, share=0.01)
    back = flowed(space, -0.5, 0.5, there, share=0.01)
    assert np.abs(there - u).max() > 0.3 and np.abs(back - u).max() < 1e-10
