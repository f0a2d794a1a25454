"""Sections of the multidegree nearest to k t or k u: what they contract to, what they solve, their key in the run file."""

import pickle

import numpy as np
import pytest
from facts import telling
from surfaces import configuration, problem

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.flows.linearised import gauss_newton
from mpiflow.kernels.nearest_sections import NearestSections
from mpiflow.methods import potentials
from mpiflow.methods.spaces import Space
from mpiflow.sampling import TEST, chunk


def along(direction):
    """Nearest sections of a direction."""
    return Space(NearestSections, NearestSections.Keys(direction=direction))


def made(ambient, degrees, t, k, direction=None):
    surface = configuration(ambient, degrees, t, seed=2)
    return surface, potentials.features(Comm(), surface, k, along(direction))


def points(surface, count):
    return chunk(surface, 3, TEST, 0, None).map(lambda rows: rows[:count])


def test_of_whole_k_t_the_nearest_sections_are_the_sections():
    surface = configuration((2, 2), ((3, 3),), (1.0, 2.0), seed=2)
    plain, near = (potentials.features(Comm(), surface, 1, name) for name in ("sections", "nearest-sections"))
    p, c = points(surface, 40), np.random.default_rng(0).normal(size=len(plain))
    there, v = surface.frame(p.z, p.chart), np.random.default_rng(1).normal(size=(40, 16))
    for whole in (False, True):
        prepared = [each.prepare(there, whole) for each in (plain, near)]
        one, other = (
            each.contract(q, each.load(c), whole=whole) for each, q in zip((plain, near), prepared, strict=True)
        )
        np.testing.assert_allclose(other, one, atol=1e-10 * np.abs(one).max())
        along = v[:, : one.shape[1]]
        one, other = (each.adjoint(q, along) for each, q in zip((plain, near), prepared, strict=True))
        np.testing.assert_allclose(other, one, atol=1e-10 * np.abs(one).max())
    assert near.bytes(40, 3) == prepared[1].nbytes


def test_the_adjoint_of_the_nearest_sections_is_that_of_what_they_contract_to():
    surface, features = made((2, 2), ((3, 3),), (1.2, 0.7), 1)
    p, rng = points(surface, 30), np.random.default_rng(0)
    prepared = features.prepare(surface.frame(p.z, p.chart), True)
    c, v = rng.normal(size=len(features)), rng.normal(size=(30, 16))
    left = (features.contract(prepared, features.load(c), whole=True) * v).sum()
    assert c @ features.adjoint(prepared, v) == pytest.approx(left, rel=1e-10)


def test_a_class_of_no_whole_multiple_is_solved_for():
    surface, features = made((1, 2), ((2, 3),), (1.0, 1.3), 2)
    equation = problem(surface, features, 1024, TEST)
    start = equation.at(np.zeros(len(features)))
    step = gauss_newton(equation, start, 1e-6, 30, features.inverse(surface))
    assert equation.at(start.coefficients + step).sigma < 0.6 * start.sigma


def test_a_direction_is_a_key_of_the_run_file_that_counts_makes_and_believes():
    table = {
        "manifold": {"family": "configuration", "ambient": [1, 2], "degrees": [[2, 3]], "seed": 2},
        "points": {"chart": "all"},
        "kernel": {"name": "kaehler", "degree": 2, "potential": "log"},
        "flow": {"dt": 1.0, "search": {"name": "gauss-newton", "inner": 9}},
    }
    table["kernel"]["features"] = {"name": "nearest-sections", "direction": [1.5, 1.0]}
    checked = config.check(table, "x.toml")
    space = checked.kernel.features
    assert config.loads(checked.text()) == checked and pickle.loads(pickle.dumps(space)) == space
    assert config.check(table | {"kernel": table["kernel"] | {"features": "nearest-sections"}}, "x.toml") != checked
    surface, features = made((1, 2), ((2, 3),), (1.0, 1.0), 2, [1.5, 1.0])
    assert space.kind.count(surface, 2) == space.kind.costs(surface, 2).features == len(features)
    again = pickle.loads(pickle.dumps(features))
    assert type(again) is NearestSections and again.multidegree == (3, 2)
    assert list(space.kind.complaints(features.arrays(), 2)) == []
    assert "multidegree [2, 2]" in next(along([1.2, 1.0]).kind.complaints(features.arrays(), 2))
    with telling(InputError, "kernel.features.direction = [1.0, 1.0, 1.0]", 3, 2):
        along([1.0, 1.0, 1.0]).kind.count(surface, 2)
    with telling(InputError, 'flow.search = "donaldson"'):
        config.check(table | {"flow": {"dt": 1.0, "search": "donaldson"}}, "x.toml")
