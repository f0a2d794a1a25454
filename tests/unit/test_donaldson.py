"""Donaldson's T-map: against its formula, invariants against all sections, its fixed point, and what it does not go with."""

from itertools import permutations, product

import numpy as np
from facts import telling
from surfaces import fermat

from mpiflow import config, hermitian, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError, NumericalError
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.reduction import reduction
from mpiflow.kernels.sections import sections
from mpiflow.methods import potentials


def flowing(keys, steps=1, train=400, ambient=3, search="donaldson"):
    table = {
        "manifold": {"ambient": ambient},
        "points": {"train": train, "test": 200, "chart": "all"},
        "kernel": {"name": "kaehler", "potential": "log"} | keys,
        "flow": {"dt": 1.0, "steps": steps, "search": search},
    }
    return Flowing.begun(Comm(), config.check(table, "test"))


def test_it_is_the_inverse_of_the_moments_of_the_sections():
    """(N / vol) int s s^dagger / (s^dagger h s), written out."""
    flow = flowing({"features": "generic", "degree": 2}, train=700).flow
    features, surface = flow.features, flow.surface
    rng = np.random.default_rng(0)
    flow.take(flow.problem.at(0.01 * rng.normal(size=len(features))))
    s = features.ambient(flow.frame.z, 0)[:, 0]
    onto = reduction(surface, features)
    h = hermitian.from_reals(flow.state.coefficients) + onto.T @ onto.conj()
    w, count = flow.problem.measure / flow.problem.measure.sum(), len(features.exponents)
    bergman = np.einsum("xa,ab,xb->x", s, h, s.conj()).real
    moments = count * np.einsum("x,xa,xb->ab", w / bergman, s, s.conj())
    expected = np.linalg.inv(moments).T - onto.T @ onto.conj()
    np.testing.assert_allclose(hermitian.from_reals(flow.balanced()), expected, rtol=0, atol=1e-11)


def images(z):
    """All images of points of the cubic under permutations, phases and conjugation: (108 N, 3)."""
    phases = np.exp(2j * np.pi * np.arange(3) / 3)
    every = [z[:, list(order)] * [1, a, b] for order in permutations(range(3)) for a, b in product(phases, phases)]
    return np.concatenate([image for one in every for image in (one, one.conj())])


def test_on_invariants_it_is_that_of_all_sections_on_all_images_of_the_points():
    surface, degree = fermat(2), 4
    p = sampling.sample(Comm(), surface, 24, 0, sampling.TRAIN)[1]
    invariants, generic = potentials.features(Comm(), surface, degree), sections(surface, degree)
    unit = p.z / np.linalg.norm(p.z, axis=1)[:, None]
    weight = p.weight / p.weight.sum()
    draw = potentials.drawn(surface)
    found = invariants.balanced(surface, invariants.moments(unit, weight, degree), degree, draw)
    many = np.tile(weight, 108) / 108
    h = generic.balanced(surface, generic.moments(images(unit), many, degree), degree, draw)
    z = draw(50)
    ours, theirs = 1 + invariants.potential(z, found), 1 + generic.potential(z, h)
    np.testing.assert_allclose(ours / ours.mean(), theirs / theirs.mean(), rtol=1e-9)


def test_it_comes_to_a_fixed_point_which_is_nearer_the_higher_the_degree():
    made = {k: flowing({"degree": k}, steps=12).finish() for k in (2, 4)}
    for one in made.values():
        flow = one.flow
        assert np.abs(flow.balanced() - flow.state.coefficients).max() < 1e-3 * np.abs(flow.state.coefficients).max()
    sigma = [one.table()[1].sigma for one in made.values()]
    assert sigma[1] < 0.5 * sigma[0]


def test_half_a_step_goes_half_the_way():
    flow = flowing({"degree": 4}).flow
    wanted = (flow.state.coefficients + flow.balanced()) / 2
    assert flow.search.step(flow, 0.5) == (0.5, 0)
    np.testing.assert_allclose(flow.state.coefficients, wanted, rtol=1e-14)


def test_it_is_refused_where_there_are_no_sections():
    with telling(InputError, 'flow.search = "donaldson"', "kaehler", 'kernel.potential = "log"', "euler, gauss-newton"):
        flowing({"potential": "linear"})


def test_fewer_points_than_functions_are_enough_but_not_fewer_than_sections():
    assert len(flowing({"features": "generic", "degree": 3}, train=300).flow.features) > 300
    with telling(NumericalError, 20, "kernel.degree"):
        flowing({"features": "generic", "degree": 3}, train=15).finish()
