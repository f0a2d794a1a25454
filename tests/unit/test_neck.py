"""Ricci flow on S^1 x S^2 against the round cylinder, and up to where a neck pinches."""

import numpy as np
import pytest
from slopes import slope

from mpiflow.grids import rk4
from mpiflow.grids.course import flowed
from mpiflow.grids.neck import Neck


def test_round_necks_shrink_and_keep_their_length():
    space = Neck(Neck.Keys(points=32, radius=1.2, length=5.0))
    assert np.abs(flowed(space, 0.6) - space.exact(0.6)).max() < 1e-7


def test_the_volume_falls_by_the_integral_of_the_curvature():
    space = Neck(Neck.Keys(amplitude=0.3, length=5.0))
    u = space.start()
    velocity = space.ricci(u)
    found = slope(lambda u: space.measures(u)["volume"], lambda t: u + t * velocity)
    assert found == pytest.approx(-space.measures(u)["integral_R"], rel=1e-8)


def test_a_neck_pinches_when_and_as_it_must():
    """psi = 1 + .3 cos x on a circle of length 4 pi: at t = .2574; psi^2 falls at the rate 2 of a cylinder there."""
    space = Neck(Neck.Keys(points=96, amplitude=0.3))
    u, t = space.start(), 0.0
    while u[1].min() > 4e-3:
        dt = min(0.5 * space.step_limit(u, 0.0), 0.1 * u[1].min())
        u, t = rk4.step(space.ricci, u, dt), t + dt
    rate = space.ricci(u)[1, u[1].argmin()]
    assert -1.95 < rate < -1.9
    assert t - u[1].min() / rate == pytest.approx(0.2574, abs=5e-4)


def test_waves_are_smoothed_by_their_multiplier():
    space = Neck(Neck.Keys())
    x = 2 * np.pi * np.arange(64) / 64
    found = space.smoothed(1 + np.cos(3 * x), 0.4)
    assert np.abs(found - 1 - np.exp(-0.72) * np.cos(3 * x)).max() < 1e-14


def test_the_non_local_flow_tends_to_the_local_one():
    space = Neck(Neck.Keys(amplitude=0.1))
    local = flowed(space, 0.1)
    off = [np.abs(flowed(space, 0.1, width) - local).max() for width in (0.2, 0.1, 0.05)]
    assert all(1.9 < order < 2.1 for order in np.log2(np.divide(off[:-1], off[1:]))), off
