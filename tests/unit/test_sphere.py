"""Ricci flow on S^2 against round spheres, Rosenau's solution and Gauss and Bonnet."""

import numpy as np
import pytest
from slopes import slope

from mpiflow.grids.course import flowed
from mpiflow.grids.sphere import Sphere


def test_round_spheres_shrink_as_they_must():
    space = Sphere(Sphere.Keys(radius=1.5))
    assert np.abs(flowed(space, 1.0) - (1.5**2 - 2)).max() < 1e-12


def test_rosenaus_solution_is_met():
    space = Sphere(Sphere.Keys(points=24, rosenau=1.5))
    assert np.abs(flowed(space, 1.0) - space.exact(1.0)).max() < 1e-10


@pytest.mark.parametrize("beside", [{"radius": 2.0}, {"amplitude": 0.4}], ids=str)
def test_a_start_beside_rosenaus_is_refused(beside):
    ((key, value),) = beside.items()
    with pytest.raises(ValueError, match=rf"rosenau = 1\.5: .*{key} = {value:g}\b"):
        Sphere.Keys(rosenau=1.5, **beside)


def test_the_non_local_flow_tends_to_the_local_one_as_the_square_of_its_width():
    space = Sphere(Sphere.Keys(points=24, rosenau=1.5))
    off = [np.abs(flowed(space, 0.5, width) - space.exact(0.5)).max() for width in (0.2, 0.1, 0.05)]
    assert all(1.9 < order < 2.3 for order in np.log2(np.divide(off[:-1], off[1:]))), off


def test_the_integral_of_the_curvature_is_eight_pi_and_the_area_falls_by_it():
    space = Sphere(Sphere.Keys(amplitude=0.6))
    u = space.start()
    assert space.measures(u)["integral_R"] == pytest.approx(8 * np.pi, rel=1e-12)
    velocity = space.ricci(u)
    assert slope(lambda u: space.measures(u)["volume"], lambda t: u + t * velocity) == pytest.approx(-8 * np.pi)


def test_a_bumpy_sphere_becomes_round():
    space = Sphere(Sphere.Keys(amplitude=0.6))
    left = space.measures(space.start())["volume"] / (8 * np.pi)
    before, after = (space.measures(u)["unround"] for u in (space.start(), flowed(space, 0.95 * left, share=0.5)))
    assert after < 0.05 * before


def test_the_heat_kernel_keeps_the_mean_and_damps_each_harmonic():
    space = Sphere(Sphere.Keys())
    xi = space.round.xi
    field = 2 + xi + (1.5 * xi**2 - 0.5)
    damped = 2 + xi * np.exp(-0.09) + (1.5 * xi**2 - 0.5) * np.exp(-0.27)
    assert np.abs(space.smoothed(field, 0.3) - damped).max() < 1e-13
    assert space.smoothed(field, 0.0) is field


@pytest.mark.parametrize("width", [0.0, 0.3])
def test_steps_are_stable_up_to_the_limit_and_not_beyond(width):
    space = Sphere(Sphere.Keys(points=12, radius=30.0))
    u = space.start() + 1e-6 * np.random.default_rng(0).standard_normal((1, 12))
    limit = space.step_limit(u, width)
    for share, stable in ((0.98, True), (1.02, False)):
        with np.errstate(invalid="ignore"):
            found = flowed(space, 600 * limit, width, u, share, _plain(space, width))
        assert bool(np.ptp(found) < 1e-3) == stable, (share, np.ptp(found))


def _plain(space, width):
    """The flow without the shrinking that all spheres share."""
    return lambda u: space.ricci(u, width) + 2


def test_rounding_bits_are_those_of_every_call():
    space, again = Sphere(Sphere.Keys(rosenau=2.0)), Sphere(Sphere.Keys(rosenau=2.0))
    assert flowed(space, 0.2).tobytes() == flowed(again, 0.2).tobytes()
    assert space.least(space.start()) == (float(space.start().min()), (int(space.start().argmin()),))
