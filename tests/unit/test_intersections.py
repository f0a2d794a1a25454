"""Complete intersections in products of projective spaces: charts, metric, points of every type with their densities."""

from dataclasses import replace

import numpy as np
import pytest
from facts import telling
from surfaces import configuration, fermat

from mpiflow.comm import Comm
from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry import curvature, kaehler
from mpiflow.geometry.domain import Points
from mpiflow.geometry.intersection import Intersection
from mpiflow.geometry.intersection_numbers import types, volume
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.kernels.jets import multi_indices
from mpiflow.sampling import EVALUATE, chunk, noisy, sample

#: Ambient, degrees, t; with the numbers of the literature: volume at t, points of a section of each type.
CASES = {
    "torus": ((1, 1), ((2, 2),), (1.0, 3.0), 8, [2, 2]),
    "k3": ((1, 2), ((2, 3),), (1.0, 0.5), 3.5, [2, 3]),
    "bicubic": ((2, 2), ((3, 3),), (1.0, 2.0), 54, [3, 3]),
    "tetra-quadric": ((1,) * 4, ((2,) * 4,), (1.0, 2.0, 1.0, 0.5), 54, [2] * 4),
    "P5[3,3]": ((5,), ((3,), (3,)), (1.0,), 9, [9]),
    "P5[2,4]": ((5,), ((2,), (4,)), (1.0,), 8, [8]),
    "P6[2,2,3]": ((6,), ((2,), (2,), (3,)), (1.0,), 12, [12]),
    "P7[2,2,2,2]": ((7,), ((2,),) * 4, (1.0,), 16, [16]),
    "determinantal": ((4, 1), ((4, 1), (1, 1)), (1.0, 2.0), 29, [4, 5]),
    "Schoen": ((2, 1, 2), ((3, 1, 0), (0, 1, 3)), (1.0, 1.0, 1.0), 72, [3, 9, 3]),
    "fourfold": ((3, 2), ((4, 3),), (1.0, 1.5), 72, [3, 4]),
}


SURFACES = {name: configuration(*case[:3], seed=2) for name, case in CASES.items()}


surfaces = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


def points(surface, count=60):
    return sample(Comm(), surface, count, 3, EVALUATE)[1]


@surfaces
def test_slopes_and_bends_are_those_of_each_polynomial(surface):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(5, surface.coordinates, 2)).view(complex)[..., 0]
    for j, each in enumerate(surface.equations):
        np.testing.assert_allclose(surface.value(z)[:, j], each.value(z), rtol=1e-10)
        np.testing.assert_allclose(surface.slopes(z)[:, j], each.gradient(z), rtol=1e-10)
        np.testing.assert_allclose(surface.bends(z)[:, j], each.hessian(z), rtol=1e-10)


@surfaces
def test_its_points_lie_on_it_and_in_their_charts(surface):
    p = points(surface)
    assert surface.off(p.z).max() < 1e-14 and surface.off(7j * p.z).max() < 1e-14
    assert (surface.chart_of(p.z) == p.chart).all()
    fixed = np.take_along_axis(p.z, p.chart[:, : len(surface.sizes)].astype(int), 1)
    assert (fixed == 1).all() and np.abs(p.z).max() <= 1 + 1e-9
    assert np.abs(surface.slopes(p.z) @ surface.jacobian(p.z, p.chart)).max() < 1e-11


@surfaces
def test_transitions_compose_and_carry_the_metric_and_the_form(surface):
    p = points(surface)
    other = surface.second_chart_of(p.z)
    there = surface.transition(p.z, p.chart, other)
    back = surface.transition(p.z, other, p.chart)
    good = np.linalg.cond(there) < 1e4
    assert good.mean() > 0.5
    one = np.broadcast_to(np.eye(surface.dimension), there[good].shape)
    np.testing.assert_allclose(there[good] @ back[good], one, atol=1e-8)
    z = surface.in_chart(p.z, other)
    direct = surface.reference(z, other)[good]
    moved = (there.swapaxes(1, 2) @ surface.reference(p.z, p.chart) @ there.conj())[good]
    np.testing.assert_allclose(moved, direct, atol=1e-8 * np.abs(direct).max())
    form = p.omega2 * np.abs(np.linalg.det(there)) ** 2
    np.testing.assert_allclose(form[good], surface.omega2(z, other)[good], rtol=1e-8)
    np.testing.assert_allclose(surface.described(z[good], other[good]).weight, p.weight[good], rtol=1e-8)


@surfaces
def test_the_metric_is_kaehler_and_its_slope_the_derivative(surface):
    p = points(surface, 20)
    defect = kaehler.defect(surface, lambda z: surface.reference(z, p.chart), p.z, p.chart)
    assert defect.max() < 1e-6
    h, slope = 1e-5, surface.reference_slope(p.z, p.chart)
    for c in range(surface.dimension):
        step = np.zeros((20, surface.dimension), complex)
        step[:, c] = h
        ends = [surface.reference(surface.displaced(p.z, p.chart, u * step), p.chart) for u in (1, -1, 1j, -1j)]
        real, imaginary = (ends[0] - ends[1]) / (2 * h), (ends[2] - ends[3]) / (2 * h)
        np.testing.assert_allclose((real - 1j * imaginary) / 2, slope[:, c], atol=1e-6 * (1 + np.abs(slope).max()))


@surfaces
def test_the_metric_is_the_hessian_of_its_potential(surface):
    p, h = points(surface, 20), 1e-3
    direction = (np.arange(surface.dimension) + 1 + 0.3j) / 4

    def potential(step):
        z = surface.displaced(p.z, p.chart, np.broadcast_to(step, (20, surface.dimension)))
        parts = zip(surface.kaehler, surface.parts, strict=True)
        return sum(t * np.log((np.abs(z[:, part]) ** 2).sum(1)) for t, part in parts)

    wanted = np.einsum("pab,a,b->p", surface.reference(p.z, p.chart), direction, direction.conj()).real
    found = sum(potential(u * h * direction) + potential(-u * h * direction) - 2 * potential(0) for u in (1, 1j))
    np.testing.assert_allclose(found / (4 * h**2), wanted, rtol=2e-3)


def zero(surface, p):
    """Curvature of g_t itself, in frames."""
    there = surface.frame(p.z, p.chart)
    count = len(multi_indices(surface.dimension, 2))
    return there, *curvature.riemann(there, np.zeros((len(p), count, count), complex))


@surfaces
def test_the_curvature_of_a_frame_is_that_of_the_metric(surface):
    p, h, d = points(surface, 20), 1e-3, surface.dimension
    there, g, riemann = zero(surface, p)
    np.testing.assert_allclose(
        there.lower @ there.lower.conj().swapaxes(1, 2), surface.reference(p.z, p.chart), atol=1e-12
    )
    ricci = there.lower @ curvature.ricci(g, riemann) @ there.lower.conj().swapaxes(1, 2)
    direction = (np.arange(d) + 1 + 0.3j) / 4

    def volume_form(step):
        z = surface.displaced(p.z, p.chart, np.broadcast_to(step, (20, d)))
        return np.log(np.linalg.det(surface.reference(z, p.chart)).real)

    found = sum(volume_form(u * h * direction) + volume_form(-u * h * direction) - 2 * volume_form(0) for u in (1, 1j))
    wanted = -np.einsum("pab,a,b->p", ricci, direction, direction.conj()).real
    np.testing.assert_allclose(found / (4 * h**2), wanted, rtol=2e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("name", CASES)
def test_intersection_numbers_are_those_of_the_literature(name):
    ambient, degrees, t, wanted, each = CASES[name]
    assert sorted(types(ambient, degrees).values()) == sorted(each)
    assert SURFACES[name].volume == wanted


def test_a_volume_is_the_sum_over_all_types():
    # 2 e_3 for the tetra-quadric; of a quintic 5 t^3.
    assert volume(types((1,) * 4, ((2,) * 4,)), (1, 1, 1, 3)) == 120
    assert volume(types((4,), ((5,),)), (2.0,)) == 40


@pytest.mark.parametrize("name", ["torus", "k3", "bicubic", "tetra-quadric", "determinantal", "Schoen"])
def test_the_volume_at_other_classes_is_the_mean_over_points(name):
    surface = SURFACES[name]
    p = chunk(surface, 5, EVALUATE, 0, None)
    # det g_t over the density of the points: 1 by the mean, if density, metric and frame are right.
    share = (p.weight / surface.form(p)).reshape(-1, surface.points_a_cut).mean(1)
    error = share.std(ddof=1) / np.sqrt(len(share))
    assert abs(share.mean() - 1) < 3 * error and 0 < error < 0.01


@pytest.mark.parametrize("name", ["bicubic", "tetra-quadric", "Schoen"])
def test_each_type_alone_has_its_density(name):
    surface = SURFACES[name]
    rng, stop = np.random.default_rng(6), 0
    blocks = [[q.z, q.chart] for q in surface.draw(rng, 600)]
    z, chart = map(np.concatenate, zip(*blocks, strict=True))
    for c, count in surface.numbers.items():
        own = np.arange(len(z)).reshape(-1, surface.points_a_cut)[:, stop : stop + count].ravel()
        alone = replace(surface)
        alone.__dict__["numbers"], stop = {c: count}, stop + count
        mixed, single = (each.density(z, chart) / each.volume for each in (surface, alone))
        # The mean of a bounded function over the points of one type, and over all, weighted to be of that type.
        ratio = single / mixed
        here, there = ratio[own].reshape(-1, count).mean(1), (ratio**2).reshape(-1, surface.points_a_cut).mean(1)
        error = np.sqrt((here.var(ddof=1) + there.var(ddof=1)) / len(here))
        assert abs(here.mean() - there.mean()) < 3.5 * error and abs(here.mean() - 1) > 3.5 * error


@surfaces
def test_a_plane_meets_it_in_all_its_points(surface):
    rng = np.random.default_rng(4)
    for planes in surface.plane_types:
        z = planes.meet(rng.standard_normal((20, planes.numbers, 2)).view(complex)[..., 0])
        assert z.shape == (20, planes.count, surface.coordinates)
        assert surface.off(z.reshape(-1, surface.coordinates)).max() < 1e-12
        segre = surface.embedded(surface.scaled(z.reshape(-1, surface.coordinates)))
        unit = (segre / np.linalg.norm(segre, axis=1)[:, None]).reshape(20, planes.count, -1)
        overlap = np.abs(unit @ unit.conj().swapaxes(1, 2)) - np.eye(planes.count)
        assert overlap.max() < 1 - 1e-9


def test_weights_are_the_form_where_points_follow_the_volume():
    for name in ("P5[3,3]", "P7[2,2,2,2]"):
        p = points(SURFACES[name])
        assert (SURFACES[name].form(p) == p.weight).all()
    plain = replace(SURFACES["bicubic"], kaehler=(1.0, 1.0))
    p = points(plain)
    determinant = np.linalg.det(plain.reference(p.z, p.chart)).real
    np.testing.assert_allclose(plain.density(p.z, p.chart), determinant, rtol=1e-10)
    # |Omega|^2 / det g_t has a closed form without charts, at |z_i| = 1.
    unit = plain.frame(p.z, p.chart).z
    slopes = plain.slopes(unit)
    closed = 1 / np.linalg.det(slopes @ slopes.conj().swapaxes(1, 2)).real
    np.testing.assert_allclose(p.weight, closed, rtol=1e-10)


def test_one_equation_in_one_space_has_the_weights_of_a_hypersurface():
    quintic = fermat(4)
    same = Intersection((Polynomial(quintic.exponents, quintic.coefficients),), (5,), (1.0,))
    p = points(quintic)
    found = same.described(p.z)
    np.testing.assert_allclose(found.weight, p.weight, rtol=1e-10)
    np.testing.assert_allclose(found.omega2, p.omega2, rtol=1e-10)
    assert (found.chart == p.chart).all()
    ours, theirs = same.frame(p.z, p.chart), quintic.frame(p.z, p.chart)
    np.testing.assert_allclose(ours.quartic, theirs.quartic, atol=1e-12)
    np.testing.assert_allclose(ours.bend, theirs.bend, atol=1e-12)


def test_the_euler_number_of_a_k3_surface_is_24():
    surface = configuration((1, 2), ((2, 3),), (1.0, 1.0), seed=3)
    p = chunk(surface, 0, EVALUATE, 0, None)
    density = curvature.euler_density(*zero(surface, p)[1:]) * (p.weight / surface.form(p))
    value, error = curvature.euler_number(density, surface.volume, 2, surface.points_a_cut)
    assert error < 2.5 and abs(value - 24) < 3 * error


def test_noise_moves_points_and_projects_them_back():
    for surface in (SURFACES["bicubic"], SURFACES["P5[3,3]"]):
        p = points(surface, 30)
        moved = noisy(surface, np.arange(30), p, 1, EVALUATE, 1e-3, True)
        assert surface.off(moved.z).max() < 1e-13 and (moved.chart == p.chart).all()
        assert 1e-4 < np.abs(moved.z - p.z).max() < 1e-2
        assert surface.off(noisy(surface, np.arange(30), p, 1, EVALUATE, 1e-3, False).z).max() > 1e-5


@surfaces
def test_no_points_are_as_good_as_any(surface):
    p = points(surface, 5).map(lambda rows: rows[:0])
    d, size = surface.dimension, surface.coordinates
    there = surface.frame(p.z, p.chart)
    shapes = [there.vectors.shape, there.quartic.shape, surface.embedded(p.z).shape[0], surface.off(p.z).shape]
    assert shapes == [(0, size, d), (0, d, d, d, d), 0, (0,)]
    assert surface.reference_slope(p.z, p.chart).shape == (0, d, d, d)
    assert surface.displaced(p.z, p.chart, np.zeros((0, d))).shape == (0, size)
    assert surface.transition(p.z, p.chart, surface.second_chart_of(p.z)).shape == (0, d, d)
    assert len(surface.described(surface.scaled(p.z))) == 0 and surface.form(p).shape == (0,)
    assert surface.shaken(p.z, p.chart, np.zeros((0, size)), True).shape == (0, size)


def test_a_step_out_of_the_chart_is_refused():
    surface = SURFACES["bicubic"]
    p = points(surface, 30)
    with telling(NumericalError, "4.0e+01"):
        surface.displaced(p.z, p.chart, np.full((30, 3), 40.0 + 3j))
    assert surface.off(surface.displaced(p.z, p.chart, np.full((30, 3), 1e-3))).max() < 1e-9


def test_points_come_from_their_coordinates_alone():
    surface = SURFACES["tetra-quadric"]
    p = points(surface, 40)
    found = surface.described(surface.scaled(p.z * (2 - 1j)))
    assert isinstance(found, Points)
    np.testing.assert_allclose(found.weight, p.weight, rtol=1e-12)
    with telling(InputError, "point 0", "z = 0"):
        surface.scaled(np.zeros((1, 8), complex))
