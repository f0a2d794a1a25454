"""Ricci flow on the plane: the cigar stays one, and what is near it becomes one."""

import numpy as np
import pytest

from mpiflow.grids.course import flowed
from mpiflow.grids.plane import Plane


def test_the_cigar_is_a_steady_soliton_and_flows_as_one():
    space = Plane(Plane.Keys())
    for t in (0.0, 0.2):
        assert space.measures(space.exact(t))["unsteady"] < 1e-5
    assert np.abs(flowed(space, 0.25) - space.exact(0.25)).max() < 1e-7


def test_the_curvature_is_that_of_the_cigar_in_closed_form():
    """R = 4 a / (a + r^2) of (dx^2 + dy^2) / (a + r^2), a = e^(4t)."""
    space, a = Plane(Plane.Keys()), np.exp(0.4)
    square = space.x / (1 - space.x)
    assert np.abs(space.scalar(space.exact(0.1)) - 4 * a / (a + square)).max() < 1e-10
    assert space.measures(space.exact(0.1))["integral_R"] == pytest.approx(4 * np.pi, rel=1e-12)


def test_what_is_near_a_cigar_becomes_one():
    space = Plane(Plane.Keys(points=24, amplitude=1.0))
    before, after = (space.measures(u)["unsteady"] for u in (space.start(), flowed(space, 0.5)))
    assert after < 0.2 * before
    assert space.measures(space.start())["integral_R"] == pytest.approx(4 * np.pi, rel=1e-12)
