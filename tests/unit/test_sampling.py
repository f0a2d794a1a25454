"""Points of X: on X, weighted right, and a function of their number alone."""

from math import factorial, gamma, pi

import numpy as np
import pytest
import surfaces
from facts import telling

from mpiflow import losses, sampling
from mpiflow.comm import Comm
from mpiflow.engine import nearest
from mpiflow.errors import InputError
from mpiflow.geometry import charts, fubini_study, hypersurface, projective
from mpiflow.geometry.lines import meet

QUINTIC = surfaces.fermat(4)


def drawn(surface, count, chart=None, stream=sampling.TRAIN, seed=1):
    return sampling.sample(Comm(), surface, count, seed, stream, chart)[1]


@pytest.mark.parametrize("ambient", [2, 3, 4, 5])
def test_points_lie_on_x_to_rounding(ambient):
    for surface in (surfaces.fermat(ambient), surfaces.dwork(ambient, 0.4 - 0.2j)):
        p = drawn(surface, 20_000)
        assert np.abs(surface.value(p.z)).max() < 1e-12
        assert (np.abs(p.z).max(1) == 1).all()


def test_a_line_meets_x_in_distinct_points_on_the_line():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 5, 2)).view(complex)[..., 0]
    z, chart, slope2 = meet(QUINTIC, a, b)
    assert (chart == charts.chart_of(QUINTIC, z)).all()
    np.testing.assert_allclose(slope2, np.abs(QUINTIC.gradient(z)) ** 2, rtol=1e-12)
    z = z.reshape(50, 5, 5)
    for line in range(50):
        span = np.linalg.qr(np.stack([a[line], b[line]], axis=1))[0]
        off = z[line].T - span @ (span.conj().T @ z[line].T)
        assert np.abs(off).max() < 1e-10
        apart = projective.distances(z[line], z[line]) + np.eye(5)
        assert apart.min() > 1e-4


def test_points_of_a_line_do_not_depend_on_the_lines_solved_beside_it():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 5, 2)).view(complex)[..., 0]
    whole, dwork = meet(QUINTIC, a, b), surfaces.dwork(4, 0.7)
    for cut in (slice(3, 4), slice(5, 24), slice(37, 50)):
        part, points = meet(QUINTIC, a[cut], b[cut]), slice(5 * cut.start, 5 * cut.stop)
        assert all((mine == every[points]).all() for mine, every in zip(part, whole, strict=True))
        chart = (meet(dwork, a[cut], b[cut])[1] == (2, 4)).all(1)
        some = meet(dwork, a[cut], b[cut], (2, 4))
        for one, every in zip(some, meet(dwork, a[cut], b[cut]), strict=True):
            assert (one == every[chart]).all()


def test_many_monomials_and_near_double_roots_reach_rounding_too():
    rng = np.random.default_rng(3)
    rows = [row for row in np.ndindex(*[5] * 4) if sum(row) == 4]
    coefficients = rng.normal(size=(len(rows), 2)).view(complex)[:, 0]
    quartic = hypersurface.Hypersurface(np.array(rows), coefficients)
    assert np.abs(quartic.value(drawn(quartic, 2000).z)).max() < 1e-12
    # Lines through a point of X along a tangent direction, but for 1e-7.
    z = drawn(quartic, 40).z
    along = rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape)
    slope = quartic.gradient(z)
    along -= ((slope * along).sum(1) / (abs(slope) ** 2).sum(1))[:, None] * slope.conj()
    assert np.abs(quartic.value(meet(quartic, z + 1e-7, along)[0])).max() < 1e-12


@pytest.mark.parametrize("ambient", [2, 3, 4])
def test_weighted_volume_is_the_closed_form(ambient):
    """m pi^d mean(w) = (m-2)! m^(1-m) pi^(m-2) (Gamma(1/m)/Gamma(1-1/m))^m, within the Monte-Carlo error per line."""
    m, d = ambient + 1, ambient - 1
    surface = surfaces.fermat(ambient)
    lines = drawn(surface, 20_000 * m).weight.reshape(-1, m).mean(1)
    found, error = m * pi**d * lines.mean(), m * pi**d * lines.std() / np.sqrt(len(lines))
    exact = factorial(m - 2) * float(m) ** (1 - m) * pi ** (m - 2) * (gamma(1 / m) / gamma(1 - 1 / m)) ** m
    assert abs(found - exact) < 4 * error
    assert error < 0.01 * exact


def test_weight_is_omega2_over_the_determinant():
    for surface in (QUINTIC, surfaces.dwork(3, 0.5), surfaces.fermat(5)):
        p = drawn(surface, 500)
        g = fubini_study.pulled_back(p.z, charts.jacobian(surface, p.z, p.chart))
        np.testing.assert_allclose(p.weight, p.omega2 / losses.determinant(g), rtol=1e-11)


def test_sigma_of_fubini_study_on_the_quintic():
    p = drawn(QUINTIC, 100_000)
    eta = 1 / p.weight / (len(p) / p.weight.sum())
    assert abs((p.weight * abs(1 - eta)).sum() / p.weight.sum() - 0.3731) < 0.002


def test_exact_metric_of_the_torus_has_sigma_zero():
    torus = surfaces.fermat(2)
    p = drawn(torus, 1000)
    exact = 0.7 * p.omega2[:, None, None].astype(complex)
    assert np.abs(losses.eta(exact, p.omega2, 0.7) - 1).max() < 1e-15


def test_points_do_not_depend_on_how_many_are_drawn():
    few, many = drawn(QUINTIC, 300, (0, 1)), drawn(QUINTIC, 1500, (0, 1))
    assert (few.z == many.z[:300]).all() and (few.weight == many.weight[:300]).all()
    assert (drawn(QUINTIC, 300, (0, 1), seed=2).z != few.z).any()


def test_one_chart_samples_are_the_accepted_ones_of_all_charts():
    every, one = drawn(QUINTIC, 10_000), drawn(QUINTIC, 400, (3, 1))
    mine = every.z[(every.chart == (3, 1)).all(1)]
    assert 0.03 < len(mine) / 10_000 < 0.07  # one chart in twenty
    count = min(len(mine), 400)
    assert (one.z[:count] == mine[:count]).all()


def test_train_and_test_share_no_point():
    train, test = drawn(QUINTIC, 500, (0, 1)), drawn(QUINTIC, 500, (0, 1), sampling.TEST)
    assert nearest(test.z, train.z)[1].min() > 1e-6


def test_nearest_neighbour_distance_follows_the_papers_fit():
    """HR 3.7: .968 N^-.184 in one chart."""
    for count in (1000, 4000, 10_000):
        test, train = drawn(QUINTIC, 500, (0, 1), sampling.TEST), drawn(QUINTIC, count, (0, 1))
        assert abs(nearest(test.z, train.z)[1].mean() / (0.968 * count**-0.184) - 1) < 0.1


@pytest.mark.parametrize("project", [True, False])
def test_noise_moves_points_by_its_scale_and_projection_returns_them(project):
    p, number, scale = drawn(QUINTIC, 400, (0, 1)), np.arange(400), 1e-3
    moved = sampling.noisy(QUINTIC, number, p, 1, sampling.TEST, scale, project)
    off, distance = np.abs(QUINTIC.value(moved.z)), projective.distance(p.z, moved.z)
    assert 0.3 * scale < distance.mean() < 3 * scale
    assert off.max() < 1e-12 if project else off.mean() > scale / 10
    some = sampling.noisy(QUINTIC, number[100:200], p.map(lambda x: x[100:200]), 1, sampling.TEST, scale, project)
    assert (some.z == moved.z[100:200]).all()


def test_an_impossible_chart_is_refused():
    # Q = z_0^5 + z_1^5 + ... always accepts; a chart of a coordinate that Q does not have never does.
    cone = hypersurface.Hypersurface(np.vstack([3 * np.eye(3, dtype=int)[:2], [[2, 1, 0]]]), [1, 1, 0.5])
    with telling(InputError, "points.chart = [0, 2]", 300000, '"all"'):
        drawn(cone, 10, (0, 2))
