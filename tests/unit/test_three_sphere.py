"""Ricci flow on S^3 against round spheres, and its curvatures against those of a surface of revolution."""

import numpy as np
import pytest
from numpy.polynomial import chebyshev
from slopes import slope

from mpiflow.grids.course import flowed
from mpiflow.grids.three_sphere import ThreeSphere


def test_round_spheres_shrink_as_they_must():
    space = ThreeSphere(ThreeSphere.Keys(radius=1.5))
    assert np.abs(flowed(space, 0.5) - (1.5**2 - 2)).max() < 1e-9


def test_curvatures_are_those_of_the_profile_against_its_length():
    space = ThreeSphere(ThreeSphere.Keys(points=40, amplitude=0.5))
    theta, step = np.arccos(space.round.xi), 1e-3

    def profile(theta):
        return np.sqrt(1 - 0.5 * np.sin(theta) ** 2) * np.sin(theta)

    def slope_of(theta):
        """d psi / d length by differences."""
        across = (profile(theta + step) - profile(theta - step)) / (2 * step)
        return across / np.sqrt(1 - 0.5 * np.sin(theta) ** 2)

    second = (slope_of(theta + step) - slope_of(theta - step)) / (2 * step) / np.sqrt(1 - 0.5 * np.sin(theta) ** 2)
    radial, tangential, *_ = space.curvatures(space.start())
    psi = profile(theta)
    assert np.abs(radial + second / psi).max() < 1e-4
    assert np.abs(tangential - (1 - slope_of(theta) ** 2) / psi**2)[5:-5].max() < 1e-3


def test_the_volume_falls_by_the_integral_of_the_curvature():
    space = ThreeSphere(ThreeSphere.Keys(points=48, amplitude=0.5))
    u = space.start()
    velocity = space.ricci(u)
    found = slope(lambda u: space.measures(u)["volume"], lambda t: u + t * velocity)
    assert found == pytest.approx(-space.measures(u)["integral_R"], rel=1e-8)


def test_length_and_equator_move_with_theircurvatures():
    """Of the flow without its vector field: d log(length element) = -2 K_rad; at the equator the field vanishes."""
    space = ThreeSphere(ThreeSphere.Keys(points=41, amplitude=0.5))
    u, middle = space.start(), 20
    radial, tangential, *_ = space.curvatures(u)
    assert space.ricci(u)[0, middle] == pytest.approx(-2 * u[0, middle] * (radial + tangential)[middle], rel=1e-9)
    velocity = space.ricci(u)
    length = np.sqrt(u[0])
    # The field is 0 at both poles, so that the whole length changes by the curvature alone.
    found = _integral(space, velocity[0] / (2 * length))
    assert found == pytest.approx(_integral(space, -2 * radial * length), rel=1e-6)


def _integral(space, field):
    """Over theta from pole to pole of a field of xi."""
    series = chebyshev.chebfit(space.round.xi, field, 30)
    return np.pi * series[0]


def test_a_dumbbell_becomes_round():
    space = ThreeSphere(ThreeSphere.Keys(amplitude=0.3))
    before = space.measures(space.start())["unround"]
    assert space.measures(flowed(space, 0.15))["unround"] < 0.3 * before


def test_the_non_local_flow_tends_to_the_local_one():
    space = ThreeSphere(ThreeSphere.Keys(amplitude=0.3))
    local = flowed(space, 0.05)
    off = [np.abs(flowed(space, 0.05, width) - local).max() for width in (0.2, 0.1, 0.05)]
    assert all(1.85 < order < 2.05 for order in np.log2(np.divide(off[:-1], off[1:]))), off
