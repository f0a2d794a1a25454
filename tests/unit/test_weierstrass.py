"""Weierstrass' functions of the Fermat cubic: against their equation, their periods and the cubic itself."""

import numpy as np
import pytest
from surfaces import fermat

from mpiflow.paper import weierstrass
from mpiflow.paper.weierstrass import PERIOD, TAU


@pytest.fixture
def t():
    rng = np.random.default_rng(0)
    return PERIOD * (rng.uniform(-2, 2, 40) + rng.uniform(-2, 2, 40) * TAU)


def test_the_equation_and_the_periods(t):
    p, slope = weierstrass.p(t)
    np.testing.assert_allclose(slope**2, 4 * p**3 - 1728, rtol=1e-9, atol=1e-6)
    for period in (PERIOD, PERIOD * TAU):
        np.testing.assert_allclose(weierstrass.p(t + period), (p, slope), rtol=1e-9)


def test_the_slope_is_that_of_p(t):
    h = 1e-4
    near = [weierstrass.p(t + k * h)[0] for k in (-2, -1, 1, 2)]
    np.testing.assert_allclose((8 * (near[2] - near[1]) - near[3] + near[0]) / (12 * h), weierstrass.p(t)[1], rtol=1e-6)


def test_omega_is_minus_two_dt_in_every_chart(t):
    surface, h = fermat(2), 1e-5
    z = surface.scaled(weierstrass.points(t))
    chart = surface.chart_of(z)
    assert surface.off(z).max() < 1e-12
    near = [surface.in_chart(weierstrass.points(t + k * h), chart) for k in (-2, -1, 1, 2)]
    velocity = (8 * (near[2] - near[1]) - near[3] + near[0]) / (12 * h)
    jacobian = surface.jacobian(z, chart)[:, :, 0]
    step = (jacobian.conj() * velocity).sum(1) / (np.abs(jacobian) ** 2).sum(1)
    omega2 = surface.omega2(z, chart) * np.abs(step) ** 2
    np.testing.assert_allclose(omega2, weierstrass.OMEGA2, rtol=1e-8)


def test_the_potential_of_a_wave():
    count = 16
    u = np.arange(count)[:, None] / count
    v = np.arange(count)[None] / count
    wave = np.cos(2 * np.pi * (u + 2 * v))
    # u and v of t = W (u + v tau): the gradient of u + 2 v, whose Laplacian is four times d dbar.
    inverse = np.linalg.inv(PERIOD * np.array([[1, TAU.real], [0, TAU.imag]]))
    square = (2 * np.pi) ** 2 * np.sum((np.array([1, 2]) @ inverse) ** 2)
    np.testing.assert_allclose(weierstrass.potential(-square / 4 * wave + 3.0), wave, atol=1e-12)
