"""Flows u_ij of metrics: rates of small waves on flat tori, what each keeps, and where each is refused."""

import numpy as np
import pytest
from facts import telling

from mpiflow.grids.conformal import ConformalTorus
from mpiflow.grids.course import flowed
from mpiflow.grids.fields.bourguignon import Bourguignon
from mpiflow.grids.fields.calabi import Calabi
from mpiflow.grids.fields.einstein_hilbert import EinsteinHilbert
from mpiflow.grids.fields.yamabe import Yamabe
from mpiflow.grids.neck import Neck
from mpiflow.grids.sphere import Sphere
from mpiflow.grids.torus import FlatTorus

SIZE = 1e-7
#: Of a wave of the conformal factor of flat T^2, in units of k^2 (Calabi: k^4).
RATES = {Yamabe(): -1, Bourguignon(rho=0.25): -0.5, Calabi(): -1, EinsteinHilbert(): 0}
BOTH = [(FlatTorus, (1, 0, 1)), (ConformalTorus, (1,))]


def wave(space, factors, k):
    """cos(k x) times each component's factor."""
    n = space.keys.points
    one = np.cos(k * 2 * np.pi * np.arange(n) / n).reshape(-1, *[1] * (len(space.shape) - 1)) * np.ones(space.shape)
    return np.multiply.outer(np.array(factors, float), one)


@pytest.mark.parametrize("field", RATES, ids=lambda field: field.name)
@pytest.mark.parametrize(("kind", "conformal"), BOTH, ids=["torus", "conformal"])
@pytest.mark.parametrize(("k", "width"), [(1, 0.0), (2, 0.0), (2, 0.5)])
def test_waves_have_their_rate(field, kind, conformal, k, width):
    space = kind(kind.Keys(points=16))
    flat, one = wave(space, conformal, 0), wave(space, conformal, k)
    both = [field.velocity(space, flat + sign * SIZE * one, width) for sign in (1, -1)]
    found = (both[0] - both[1]) / (2 * SIZE)
    order = 4 if field.name == "calabi" else 2
    assert np.abs(found - RATES[field] * k**order * np.exp(-(width**2) * k**2 / 2) * one).max() < 1e-6 * k**order


@pytest.mark.parametrize(("field", "rate"), [(Yamabe(), -2), (Bourguignon(rho=0.1), -0.6), (EinsteinHilbert(), 1)])
def test_waves_of_the_curvature_have_their_rate_in_three_dimensions(field, rate):
    """dR/dt = (1 - 2 (d - 1) rho) Lap R to first order; of Yamabe's flow (d - 1) Lap R."""
    space, k = FlatTorus(FlatTorus.Keys(dimension=3, points=12)), 2
    flat = wave(space, (1, 0, 0, 1, 0, 1), 0)
    bent = wave(space, (1, 0.3, 0.2, 0.7, 0.1, -0.4), k)
    before = _slope(space, flat, bent)
    moved = [field.velocity(space, flat + sign * SIZE * bent, 0.0) for sign in (1, -1)]
    after = _slope(space, flat, (moved[0] - moved[1]) / (2 * SIZE))
    assert np.abs(before).max() > 0.1
    assert np.abs(after - rate * k**2 * before).max() < 1e-5


def _slope(space, flat, h):
    """The first order of R along h."""
    return (space.scalar(flat + SIZE * h) - space.scalar(flat - SIZE * h)) / (2 * SIZE)


def test_ricci_is_bourguignon_of_no_share_and_yamabe_on_surfaces():
    space = ConformalTorus(ConformalTorus.Keys(points=24))
    u = space.start()
    ricci = space.ricci(u, 0.3, "hamilton")
    for field in (Bourguignon(rho=0.0), Yamabe()):
        assert np.abs(field.velocity(space, u, 0.3) - ricci).max() < 1e-11


def test_calabis_flow_keeps_the_area_of_a_sphere_and_rounds_it():
    space = Sphere(Sphere.Keys(points=10, amplitude=0.4))
    u, field = space.start(), Calabi()
    assert field.step_limit(space, u, 0.0) < 0.02 * space.step_limit(u, 0.0)
    after = flowed(space, 0.1, share=0.003, velocity=lambda u: field.velocity(space, u, 0.0))
    before, then = space.measures(u), space.measures(after)
    assert then["volume"] == pytest.approx(before["volume"], rel=1e-9)
    assert then["integral_R2"] < before["integral_R2"] and then["unround"] < 0.5 * before["unround"]


@pytest.mark.parametrize("field", RATES, ids=lambda field: field.name)
@pytest.mark.parametrize("width", [0.0, 0.5])
def test_steps_are_stable_up_to_the_limit(field, width):
    space = ConformalTorus(ConformalTorus.Keys(points=12, height=0.0))
    noise = 1 + 1e-6 * np.random.default_rng(0).standard_normal((1, 12, 12))
    limit, steps = field.step_limit(space, noise, width), 100
    share = 0.98 * limit / space.step_limit(noise, width)
    found = flowed(space, steps * limit, width, noise, share, lambda u: field.velocity(space, u, width))
    assert np.ptp(found) < 1e-5


def test_a_space_without_a_curvature_is_refused():
    space = Neck(Neck.Keys())
    with telling(ValueError, 'kernel.field = "einstein-hilbert"', "scalar", "ricci_tensor", 'manifold.family = "neck"'):
        EinsteinHilbert().check(space, space.start(), 0.0, 1.0)
    Yamabe().check(Sphere(Sphere.Keys()), np.ones((1, 24)), 0.0, 1.0)
