"""Charts, the Fubini-Study metric and distance, and the Kaehler defect."""

from dataclasses import replace

import numpy as np
import pytest
from facts import telling
from surfaces import dwork, fermat, random

from mpiflow import losses
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry import charts, fubini_study, hypersurface, kaehler, projective
from mpiflow.sampling import TRAIN, sample


def points(surface, count=200):
    return sample(Comm(), surface, count, 3, TRAIN)[1]


SURFACES = {
    "torus": fermat(2),
    "k3": dwork(3, 0.3 + 0.1j),
    "quintic": fermat(4),
    "random quintic": random(4, 0),
    "sextic": fermat(5),
}
surfaces = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


@surfaces
def test_gradient_and_hessian_are_derivatives(surface):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(5, surface.degree)) + 1j * rng.normal(size=(5, surface.degree))
    step = 1e-6 * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))
    change = surface.value(z + step) - surface.value(z - step)
    np.testing.assert_allclose(2 * (surface.gradient(z) * step).sum(1), change, rtol=1e-6)
    change = surface.gradient(z + step) - surface.gradient(z - step)
    np.testing.assert_allclose(2 * np.einsum("pij,pj->pi", surface.hessian(z), step), change, rtol=1e-5, atol=1e-9)


@surfaces
def test_jacobian_is_tangent_to_x(surface):
    p = points(surface)
    jacobian = charts.jacobian(surface, p.z, p.chart)
    along = np.einsum("pi,pia->pa", surface.gradient(p.z), jacobian)
    assert np.abs(along).max() < 1e-11
    assert np.abs(jacobian).max() < 1 + 1e-12  # the eliminated coordinate has the largest slope


@surfaces
def test_transitions_compose_and_carry_the_metric(surface):
    p = points(surface)
    other = np.roll(p.chart, 1, axis=1)  # swap the roles of the two coordinates
    there = charts.transition(surface, p.z, p.chart, other)
    back = charts.transition(surface, p.z, other, p.chart)
    one = np.broadcast_to(np.eye(surface.dimension), there.shape)
    # Points where the other chart is singular amplify rounding: compare where it is well conditioned.
    good = np.linalg.cond(there) < 1e4
    assert good.mean() > 0.8
    np.testing.assert_allclose((there @ back)[good], one[good], atol=1e-9)
    here = fubini_study.pulled_back(p.z, charts.jacobian(surface, p.z, p.chart))
    z = charts.in_chart(p.z, other)
    direct = fubini_study.pulled_back(z, charts.jacobian(surface, z, other))
    moved = there.transpose(0, 2, 1) @ here @ there.conj()
    np.testing.assert_allclose(moved[good], direct[good], rtol=1e-8, atol=1e-8 * np.abs(direct[good]).max())


def test_metric_is_the_hessian_of_log_norm():
    surface = SURFACES["quintic"]
    p = points(surface, 40)
    g = fubini_study.pulled_back(p.z, charts.jacobian(surface, p.z, p.chart))

    def potential(step):
        return np.log(projective.norm2(charts.displaced(surface, p.z, p.chart, step)))

    h, total = 1e-3, 0.0
    direction = np.array([0.3 + 0.2j, -0.5j, 0.7])
    for unit in (1, 1j):
        step = np.broadcast_to(unit * h * direction, (40, 3))
        total = total + (potential(step) + potential(-step) - 2 * potential(0 * step)) / h**2
    # A quarter of the Laplacian along v is g_(a bbar) v^a vbar^b.
    expected = np.einsum("pab,a,b->p", g, direction, direction.conj()).real
    np.testing.assert_allclose(total / 4, expected, rtol=1e-4)


def test_distance_is_exact_for_near_pairs():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(30, 5)) + 1j * rng.normal(size=(30, 5))
    tangent = rng.normal(size=(30, 5)) + 1j * rng.normal(size=(30, 5))
    z = projective.unit(z)
    tangent -= (tangent * z.conj()).sum(1)[:, None] * z
    tangent = projective.unit(tangent)
    for d in (1e-10, 1e-7, 1e-3, 0.4, 1.5):
        w = (np.cos(d) * z + np.sin(d) * tangent) * np.exp(0.3j) * 7.0
        np.testing.assert_allclose(projective.distance(z, w), d, rtol=1e-5 if d < 1e-9 else 1e-7)
    assert projective.distance(z, z).max() < 1e-15


def test_embedding_turns_distances_into_chords():
    rng = np.random.default_rng(3)
    z, w = (rng.normal(size=(2, 20, 5, 2))).view(complex)[..., 0]
    chord = np.linalg.norm(projective.embedding(z) - projective.embedding(w), axis=1)
    np.testing.assert_allclose(chord, np.sqrt(2) * np.sin(projective.distance(z, w)), rtol=1e-12)
    np.testing.assert_allclose(projective.distances(z, w).diagonal(), projective.distance(z, w), rtol=1e-12)


@surfaces
def test_kaehler_defect_vanishes_for_fubini_study(surface):
    p = points(surface, 30)

    def metric_at(z):
        return fubini_study.pulled_back(z, charts.jacobian(surface, z, p.chart))

    assert kaehler.defect(surface, metric_at, p.z, p.chart).max() < 1e-6


def test_kaehler_defect_of_a_conformal_factor_is_its_slope():
    # For e^f g_FS the defect is sqrt(d - 1) |df| e^f in the g_FS frame: here f = log |z|^2 along the chart.
    surface = SURFACES["quintic"]
    p = points(surface, 30)
    jacobian = charts.jacobian(surface, p.z, p.chart)
    g = fubini_study.pulled_back(p.z, jacobian)

    def metric_at(z):
        factor = projective.norm2(z)[:, None, None]
        return factor * fubini_study.pulled_back(z, charts.jacobian(surface, z, p.chart))

    df = np.einsum("pi,pia->pa", p.z.conj(), jacobian) / projective.norm2(p.z)[:, None]
    length2 = np.einsum("pa,pab,pb->p", df, np.linalg.inv(g).transpose(0, 2, 1), df.conj()).real
    expected = np.sqrt(2 * length2) * projective.norm2(p.z)
    np.testing.assert_allclose(kaehler.defect(surface, metric_at, p.z, p.chart), expected, rtol=1e-5, atol=1e-6)


def test_conformal_metric_has_the_volume_of_omega():
    surface = SURFACES["quintic"]
    p = points(surface, 50)
    g = fubini_study.pulled_back(p.z, charts.jacobian(surface, p.z, p.chart))
    flat = kaehler.conformal(g, losses.determinant(g), p.omega2, 0.7)
    np.testing.assert_allclose(losses.determinant(flat), 0.7 * p.omega2, rtol=1e-12)


def test_the_form_is_the_weight_of_points_on_lines_and_of_no_others():
    surface = SURFACES["k3"]
    points = next(surface.draw(np.random.default_rng(0), 50))
    assert (surface.form(points) == points.weight).all()
    density = np.random.default_rng(1).uniform(0.5, 0.9, len(points))
    chosen = replace(points, weight=points.weight / density)
    np.testing.assert_allclose(surface.form(chosen), points.weight, rtol=1e-12)


def test_wrong_degree_and_singular_surfaces_are_refused():
    with telling(InputError, "manifold.monomials = [0, 1, 3]", 4, "P^2", 3):
        hypersurface.Hypersurface([[3, 0, 0], [0, 1, 3]], [1, 1])
    with telling(InputError, "manifold.psi"):
        dwork(4, np.exp(2j * np.pi / 5))
    assert dwork(4, np.exp(2j * np.pi / 3))
    conifold = hypersurface.Hypersurface(
        np.vstack([5 * np.eye(5, dtype=int), np.ones((1, 5), int)]), [1, 1, 1, 1, 1, -5]
    )
    node = conifold.singular_point()
    assert np.abs(conifold.gradient(node[None])).max() < 1e-8
    assert SURFACES["random quintic"].singular_point() is None


def test_random_surfaces_have_all_monomials_and_a_seed():
    quintic = random(4, 3)
    assert len(np.unique(quintic.exponents, axis=0)) == 126 and (quintic.coefficients != 0).all()
    assert (random(4, 3).coefficients == quintic.coefficients).all()
    assert (random(4, 4).coefficients != quintic.coefficients).all()
