"""Which configurations are Calabi-Yau manifolds: what is refused, what is singular, what has no planes."""

import numpy as np
import pytest
from facts import telling
from surfaces import configuration

from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry.intersection import Intersection
from mpiflow.geometry.polynomial import Polynomial


def test_the_nodes_of_two_cubics_are_found():
    cubes, half = 3 * np.eye(6, dtype=int), np.repeat([0, 1], 3)
    for psi, smooth in ((0.5, True), (1.0, False), (0.0, False)):
        numbers = np.append(np.ones(3), -3 * psi)
        rows = (cubes[:3], half), (cubes[3:], 1 - half)
        surface = Intersection(tuple(Polynomial(np.vstack(r), numbers) for r in rows), (6,), (1.0,))
        assert (surface.singular_point() is None) == smooth


def test_equations_that_depend_on_each_other_have_no_planes():
    one = configuration((5,), ((3,), (3,)), (1.0,), seed=2).equations[0]
    surface = Intersection((one, one), (6,), (1.0,))
    assert surface.singular_point() is not None
    with telling(NumericalError, 9):
        next(surface.draw(np.random.default_rng(0), 5))


REFUSED = {
    ("manifold.degrees = [[3, 2]]", "P^2", 2, 3): ((2, 2), ((3, 2),), (1.0, 1.0)),
    ("manifold.kaehler = [1.0, 0.0]",): ((2, 2), ((3, 3),), (1.0, 0.0)),
    ("manifold.degrees = [[1, 0], [1, 0], [0, 4]]",): ((1, 3), ((1, 0), (1, 0), (0, 4)), (1.0, 1.0)),
    ("manifold.degrees = [[2, 0], [0, 4]]", "P^1"): ((1, 3), ((2, 0), (0, 4)), (1.0, 1.0)),
    ("manifold", "P^1 x P^1", 0): ((1, 1), ((2, 1), (0, 1)), (1.0, 1.0)),
    ("manifold", "P^3 x P^3", 5): ((3, 3), ((4, 4),), (1.0, 1.0)),
    ("manifold.degrees", 6000, 1500): (
        (4,) * 3,
        ((1, 1, 0), (1, 0, 1), (0, 1, 1)) * 2 + ((1, 1, 0), (0, 0, 1)),
        (1.0,) * 3,
    ),
    ("manifold", 9, 8): ((1,) * 9, ((2,) * 9,), (1.0,) * 9),
    ("manifold", "ambient = [2, 2]", "kaehler"): ((2, 2), ((3, 3),), (1.0,)),
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_is_no_calabi_yau_manifold_is_refused(facts):
    with telling(InputError, *facts):
        configuration(*REFUSED[facts], seed=1)


def test_terms_of_several_degrees_are_refused():
    with telling(InputError, "manifold.monomials", "equation 0", "[(2,), (3,)]"):
        Intersection((Polynomial(np.array([[3, 0, 0], [1, 1, 0]]), np.ones(2)),), (3,), (1.0,))
    with telling(InputError, "manifold.coefficients", "equation 0"):
        Intersection((Polynomial(np.array([[3, 0, 0], [1, 1, 1]]), np.array([np.nan, 1])),), (3,), (1.0,))
