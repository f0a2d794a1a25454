"""Sections of O(k t) on complete intersections: how many, their derivatives, their Casimir operators, what they gain."""

import numpy as np
import pytest
from facts import telling
from surfaces import configuration, fermat, problem

from mpiflow import hermitian
from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.log import Log
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.flows.linearised import Linearised, gauss_newton
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.geometry import curvature
from mpiflow.geometry.polynomial import multimonomials
from mpiflow.kernels import casimir
from mpiflow.kernels.multisections import MultiSections, reduction
from mpiflow.kernels.nearest_sections import NearestSections
from mpiflow.kernels.reduction import norms as norms_of
from mpiflow.kernels.sections import Sections
from mpiflow.methods import potentials
from mpiflow.methods.spaces import Space
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import EVALUATE, TEST, chunk

#: Ambient, degrees, t, k; and the sections there are, by hand.
CASES = {
    "torus": ((1, 1), ((2, 2),), (1.0, 1.5), 2, 3 * 4 - 1 * 2),
    "k3": ((1, 2), ((2, 3),), (1.0, 1.0), 3, 4 * 10 - 2 * 1),
    "bicubic": ((2, 2), ((3, 3),), (1.0, 2.0), 1, 3 * 6),
    "P5[3,3]": ((5,), ((3,), (3,)), (1.0,), 3, 56 - 2),
    "P7[2,2,2,2]": ((7,), ((2,),) * 4, (1.0,), 2, 36 - 4),
    "P7, degree 4": ((7,), ((2,),) * 4, (1.0,), 4, 330 - 4 * 36 + 6),
    "determinantal": ((4, 1), ((4, 1), (1, 1)), (1.0, 1.0), 2, 15 * 3 - 5 * 2),
}


#: Those of classes t for which k t are no whole numbers, or of another direction u, and the nearest multidegree.
NEAREST = {
    "k3": ((1, 2), ((2, 3),), (1.0, 1.3), 2, (2, 3)),
    "bicubic": ((2, 2), ((3, 3),), (1.2, 0.7), 1, (1, 1)),
    "tetra-quadric": ((1,) * 4, ((2,) * 4,), (1.0, 1.2, 0.3, 0.8), 1, (1, 1, 1, 1)),
    "k3 of a direction": ((1, 2), ((2, 3),), (1.0, 1.0), 2, (3, 2)),
}


DIRECTIONS = {"k3 of a direction": [1.5, 1.0]}


cases = pytest.mark.parametrize("name", CASES)


def nearest(name):
    ambient, degrees, t, k, _ = NEAREST[name]
    surface = configuration(ambient, degrees, t, seed=2)
    return surface, potentials.features(Comm(), surface, k, along(DIRECTIONS.get(name)))


def along(direction):
    """Nearest sections of a direction."""
    return Space(NearestSections, NearestSections.Keys(direction=direction))


def made(name):
    ambient, degrees, t, k, _ = CASES[name]
    surface = configuration(ambient, degrees, t, seed=2)
    return surface, potentials.features(Comm(), surface, k, "sections")


def points(surface, count):
    return chunk(surface, 3, TEST, 0, None).map(lambda rows: rows[:count])


@cases
def test_the_sections_are_all_there_and_independent_on_it(name):
    surface, features = made(name)
    assert len(features.exponents) == CASES[name][4]
    assert len(features) == MultiSections.count(surface, CASES[name][3]) == CASES[name][4] ** 2
    p = points(surface, 4 * CASES[name][4])
    unit = surface.frame(p.z, p.chart).z
    size = np.linalg.svd(features.ambient(unit, 0)[:, 0], compute_uv=False)
    assert size[-1] > 1e-3 * size[0]


@cases
def test_all_monomials_are_sums_of_them_on_it(name):
    surface, features = made(name)
    p = points(surface, 30)
    unit, every = surface.frame(p.z, p.chart).z, multimonomials(features.multidegree, surface.sizes)
    norms = norms_of(every, features.sizes)
    values = (unit[:, None] ** every).prod(2) * norms
    onto = reduction(surface, features)
    assert np.abs(onto).max() < 30
    np.testing.assert_allclose(features.ambient(unit, 0)[:, 0] @ onto.T, values, atol=1e-10)
    # At |z_i| = 1 their squares add up to 1.
    np.testing.assert_allclose((np.abs(values) ** 2).sum(1), 1, rtol=1e-12)


def predictor(surface, features, ansatz=None, size=0.05):
    c = size * np.random.default_rng(0).normal(size=len(features)) / len(features.exponents)
    phi = {} if ansatz is None else {"phi": Composed(ansatz, features.degree)}
    return KaehlerPredictor(surface, features, c, **phi)


@pytest.mark.parametrize("ansatz", [None, Log()])
@pytest.mark.parametrize("name", ["torus", "k3", "bicubic", "P5[3,3]", "determinantal"])
def test_metric_and_curvature_are_those_of_the_potential(name, ansatz):
    agrees(*made(name), ansatz)


@pytest.mark.parametrize("ansatz", [None, Log()])
@pytest.mark.parametrize("name", NEAREST)
def test_so_they_are_of_a_multidegree_near_k_t(name, ansatz):
    surface, features = nearest(name)
    assert features.multidegree == NEAREST[name][4] and features.degree == NEAREST[name][3]
    agrees(surface, features, ansatz, 0.4)


def agrees(surface, features, ansatz, size=0.05):
    """Metric, Ricci tensor and curvature of a potential, with differences of its values."""
    known, p, h, d = predictor(surface, features, ansatz, size), points(surface, 8), 1e-3, surface.dimension
    direction = (np.arange(d) + 1 + 0.3j) / 4
    layout = Layout(Comm(), np.zeros(8, np.int32), 1, [1.0])

    def hessian(function):
        def at(step):
            return function(surface.displaced(p.z, p.chart, np.broadcast_to(step, (8, d))))

        return sum(at(u * h * direction) + at(-u * h * direction) - 2 * at(0) for u in (1, 1j)) / (4 * h**2)

    def along(g):
        return np.einsum("pab,a,b->p", g, direction, direction.conj()).real

    g = known.metric(layout, p.z, p.chart)
    wanted = along(g - surface.reference(p.z, p.chart))
    np.testing.assert_allclose(hessian(known.potential), wanted, atol=2e-4 * np.abs(wanted).max())
    log_volume = hessian(lambda z: np.log(np.linalg.det(known.metric(layout, z, p.chart)).real))
    ricci = along(known.ricci(p.z, p.chart))
    np.testing.assert_allclose(log_volume, -ricci, atol=5e-3 * np.abs(ricci).max())
    there, _ = known.curvature(p.z, p.chart)
    lower = surface.frame(p.z, p.chart).lower
    np.testing.assert_allclose(lower @ there @ lower.conj().swapaxes(1, 2), g, atol=1e-10)


@cases
def test_a_jet_does_not_depend_on_the_scale_of_a_factor(name):
    surface, features = made(name)
    known, p = predictor(surface, features), points(surface, 8)
    turned = p.z * np.array([2j, 3.0, 0.5, 1j])[surface.member]
    np.testing.assert_allclose(known.potential(turned), known.potential(p.z), rtol=1e-10)


def test_one_space_has_the_features_that_it_had():
    from mpiflow.geometry.intersection import Intersection
    from mpiflow.geometry.polynomial import Polynomial

    quintic = fermat(4)
    same = Intersection((Polynomial(quintic.exponents, quintic.coefficients),), (5,), (1.0,))
    plain = potentials.features(Comm(), quintic, 3, "generic")
    ours = potentials.features(Comm(), same, 3, "sections")
    assert (ours.exponents == plain.exponents).all()
    p, c = points(quintic, 12), np.random.default_rng(0).normal(size=len(plain))
    there = quintic.frame(p.z, p.chart)
    for order in (0, 1, 2):
        expected = plain.jet(there, c, order)
        found = ours.jet(same.frame(p.z, p.chart), c, order)
        np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_allclose(ours.inverse(same)(c), plain.inverse(quintic)(c), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(ours.smoothness()(c), plain.smoothness()(c), rtol=1e-8, atol=1e-8)


def test_the_casimir_operator_inverts_the_normal_matrix_of_round_metrics():
    ambient, m, t = (1, 2), (2, 1), (1.0, 2.0)
    features = MultiSections(multimonomials(m, (2, 3)), np.array([2, 3]), np.array([1]))
    rng = np.random.default_rng(0)
    z = rng.normal(size=(10_000, 5, 2)).view(complex)[..., 0]
    z[:, :2] /= np.linalg.norm(z[:, :2], axis=1)[:, None]
    z[:, 2:] /= np.linalg.norm(z[:, 2:], axis=1)[:, None]
    s, size = features.ambient(z, 1), len(features.exponents)
    # The Laplacian of sum t_i g_i on the product, by derivatives along each factor.
    total = np.zeros((len(z), size, size), complex)
    for part, weight, degree in ((slice(0, 2), t[0], m[0]), (slice(2, 5), t[1], m[1])):
        one = np.eye(part.stop - part.start)
        across = one - z[:, part, None] * z[:, None, part].conj()
        first = np.einsum("xia,xis->xas", across, s[:, 1:][:, part])
        mixed = np.einsum("xas,xar->xsr", first, first.conj())
        here = np.einsum("xs,xr->xsr", s[:, 0], s[:, 0].conj())
        total += (mixed - degree * (part.stop - part.start - 1) * here) / weight
    laplacian = hermitian.to_reals(total.conj())
    normal = laplacian.T @ laplacian / len(z)
    values = casimir.eigenvalues(m, ambient, t)
    values.flat[0] = 1.0
    operator = casimir.Casimir(features, values, np.eye(size))
    found = np.array([operator(row) for row in np.eye(size**2)])
    flat = np.full(size, 1.0)
    constant = hermitian.to_reals(np.diag(flat).astype(complex)[None])[0]
    constant /= np.linalg.norm(constant)
    found -= np.outer(constant, constant)
    factor = np.trace(normal) / np.trace(found)
    np.testing.assert_allclose(normal, factor * found, atol=0.08 * np.abs(normal).max())


@pytest.mark.parametrize("name", ["bicubic", "torus"])
def test_a_metric_lifted_to_another_degree_stays_what_it_is(name):
    surface, below = made(name)
    above = potentials.features(Comm(), surface, 2 * below.degree, "sections")
    known = predictor(surface, below, Log())
    lifted = above.lifted(surface, below, known.coefficients, Log(), below.degree, above.degree, None)
    z = points(surface, 20).z
    found = Composed(Log(), above.degree).value(above.potential(z, lifted))
    np.testing.assert_allclose(found, known.potential(z), rtol=1e-8, atol=1e-10)


def test_gauss_newton_makes_the_metric_flat():
    surface = configuration((1, 2), ((2, 3),), seed=2)
    features = potentials.features(Comm(), surface, 2, "sections")
    train, c = problem(surface, features, 2500), np.zeros(len(features))
    first = train.at(c)
    for _ in range(3):
        c = c + gauss_newton(train, train.at(c), 1e-6, 60, features.inverse(surface))
    unseen = problem(surface, features, 1000, EVALUATE).at(c)
    assert unseen.sigma < first.sigma / 2.5 and unseen.least > 0
    linear = Linearised(train, first, features.inverse(surface))
    right = linear.adjoint(linear.centred(first.residual))
    assert right @ linear.preconditioned(right) > 0
    p = chunk(surface, 1, EVALUATE, 0, None)
    density = curvature.euler_density(*KaehlerPredictor(surface, features, c).curvature(p.z, p.chart))
    value, error = curvature.euler_number(density, surface.volume, 2, surface.points_a_cut)
    assert abs(value - 24) < 3 * error < 5


REFUSED = {
    ("kernel.degree = 2", "(2, 3.3)"): ("sections", (1.0, 1.65), 2),
    ("kernel.degree = 1", "(1, 0.5)"): ("sections", (1.0, 0.5), 1),
    ('kernel.features = "generic"', 'kernel.features = "sections"'): ("generic", (1.0, 1.0), 2),
    ('kernel.features = "invariant"', '"invariant-sections"'): ("invariant", (1.0, 1.0), 2),
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_sections_are_not_there_is_said(facts):
    kind, t, k = REFUSED[facts]
    surface = configuration((1, 2), ((2, 3),), t)
    with telling(InputError, *facts):
        potentials.features(Comm(), surface, k, kind)
    with telling(InputError, 'kernel.features = "sections"', 'kernel.features = "generic"'):
        MultiSections.count(fermat(3), 2)
    assert issubclass(MultiSections, Sections)
