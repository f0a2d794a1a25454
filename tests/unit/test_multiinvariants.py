"""Symmetry that is found, and the functions that it leaves alone."""

from itertools import permutations

import numpy as np
import pytest
from facts import telling
from surfaces import configuration, dwork, fermat

from mpiflow import hermitian
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry.families.equations import Equations
from mpiflow.geometry.families.two_cubics import TwoCubics
from mpiflow.geometry.intersection import Intersection
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.kernels import jets
from mpiflow.kernels.multiinvariants import MultiInvariants, averaged
from mpiflow.methods import potentials
from mpiflow.sampling import TEST, chunk


def alone(surface):
    """A hypersurface as an intersection of one."""
    return Intersection((Polynomial(surface.exponents, surface.coefficients),), (surface.coordinates,), (1.0,))


def symmetric_bicubic(kaehler=(1.0, 1.0), twist=1.0):
    """sum_ij (1 + delta_ij) z_i^3 w_j^3; twist: a phase of one term."""
    rows = [[3 * (k == i) for k in range(3)] + [3 * (k == j) for k in range(3)] for i in range(3) for j in range(3)]
    numbers = [1.0 + (i == j) for i in range(3) for j in range(3)]
    numbers[0] = (2 * complex(twist).real, 2 * complex(twist).imag)
    t = list(kaehler)
    return Equations(ambient=[2, 2], monomials=[rows], coefficients=[numbers], kaehler=t).equation()


TWO = TwoCubics(psi=0.5).equation()
#: Permutations, phases, conjugation.
GROUPS = {
    "two cubics": (TWO, 72, 81, True),
    "complex two cubics": (TwoCubics(psi=(0.3, 0.4)).equation(), 72, 81, False),
    "bicubic": (symmetric_bicubic(), 12, 81, True),
    "of another class": (symmetric_bicubic((1.0, 2.0)), 6, 81, True),
    "twisted": (symmetric_bicubic(twist=1j), 4, 81, False),
    "random": (configuration((2, 2), ((3, 3),)), 1, 1, False),
    "four quadrics": (configuration((7,), ((2,),) * 4), 1, 1, False),
    "fermat": (alone(fermat(4)), 120, 625, True),
    "dwork": (alone(dwork(4, 0.5)), 120, 125, True),
}


@pytest.mark.parametrize("name", GROUPS)
def test_the_group_is_found(name):
    surface, order, phases, conjugation = GROUPS[name]
    found = surface.group
    assert (found.order, found.phases, found.conjugation) == (order, phases, conjugation)
    assert str(found).startswith(f"{order} permutations, {phases} phases")
    # What is found keeps X.
    z = chunk(surface, 3, TEST, 0, None).z[:20]
    for row in found.generators:
        assert surface.off(surface.scaled(z[:, row])).max() < 1e-12
    if conjugation:
        assert surface.off(z.conj()).max() < 1e-12


@pytest.mark.parametrize("surface", [fermat(4), fermat(3), dwork(4, 0.5), dwork(3, 0.3)], ids=str)
def test_there_are_as_many_functions_as_are_counted_for_one_equation(surface):
    for k in (4, 5, 6):
        if wanted := surface.symmetry.count(k):
            assert MultiInvariants.count(alone(surface), k) == wanted


def turned(surface, z):
    """Points moved by a random element of the group."""
    rng = np.random.default_rng(5)
    for row in rng.permutation(surface.group.generators):
        z = z[:, row]
    # x with whole numbers on the lattice of exponents: a phase.
    lattice = surface.group.lattice
    whole = rng.integers(0, 7, len(lattice))
    x = np.linalg.lstsq(lattice.astype(float), whole.astype(float))[0]
    z = z * np.exp(2j * np.pi * x)
    return z.conj() if surface.group.conjugation else z


@pytest.mark.parametrize("name", ["two cubics", "complex two cubics", "bicubic", "of another class", "twisted"])
def test_the_functions_are_invariant_and_independent(name):
    surface = GROUPS[name][0]
    features = potentials.features(Comm(), surface, 3, "invariant-sections")
    z = chunk(surface, 3, TEST, 0, None).z[:1500]
    values, moved = features.values(z), turned(surface, z)
    assert surface.off(surface.scaled(moved)).max() < 1e-12
    np.testing.assert_allclose(features.values(moved), values, atol=1e-9)
    assert np.linalg.cond(values) < 60 and np.abs(values.mean(1)).max() < 0.5
    assert len(features) == MultiInvariants.count(surface, 3) > 3
    other = z * (1 + np.arange(surface.coordinates))
    assert np.abs(features.values(other) - values).max() > 0.1


@pytest.mark.parametrize("name", ["two cubics", "complex two cubics", "of another class"])
def test_jets_are_those_of_the_form(name):
    surface = GROUPS[name][0]
    features = potentials.features(Comm(), surface, 3, "invariant-sections")
    p = chunk(surface, 4, TEST, 0, None).map(lambda rows: rows[:10])
    there, c = surface.frame(p.z, p.chart), np.random.default_rng(0).normal(size=len(features))
    whole = features.jet(there, c, 2)
    np.testing.assert_allclose(c @ features.values(p.z), features.potential(p.z, c), atol=1e-10)
    np.testing.assert_allclose(whole[:, 0, 0].real, features.potential(p.z, c), atol=1e-10)
    d = surface.dimension
    first = jets.full(np.tensordot(c, features.jets(there, 1), 1).T)
    np.testing.assert_allclose(first, whole[:, : d + 1, : d + 1], atol=1e-9)
    found = features.contract(features.prepare(there, True), features.load(c), whole=True)
    np.testing.assert_allclose(hermitian.from_reals(found), first, atol=1e-9)
    second = jets.full(np.tensordot(c, features.jets(there, 2), 1).T)
    np.testing.assert_allclose(second, whole, atol=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("name", ["two cubics", "complex two cubics", "bicubic", "twisted"])
def test_moments_of_sections_are_averaged_over_the_group(name):
    """A projection that no element of the group changes, and that keeps what is invariant, is the mean over all."""
    surface = GROUPS[name][0]
    features = potentials.features(Comm(), surface, 3, "invariant-sections")
    z = features.sections.unit(chunk(surface, 3, TEST, 0, None).z[:200])
    moments = [hermitian.from_reals(features.moments(each, np.ones(200), 3)) for each in (z, turned(surface, z))]
    ours, moved = (averaged(surface.group, features.exponents, each) for each in moments)
    np.testing.assert_allclose(moved, ours, atol=1e-11)
    assert np.abs(moments[1] - moments[0]).max() > 0.1
    form = hermitian.from_reals(features._form(np.random.default_rng(0).normal(size=len(features))))
    np.testing.assert_allclose(averaged(surface.group, features.exponents, form), form, atol=1e-13)


def test_donaldsons_map_is_that_of_one_equation():
    one, degree = fermat(2), 4
    many = alone(one)
    p = chunk(one, 3, TEST, 0, None).map(lambda rows: rows[:200])
    unit, potential, draw = p.z / np.linalg.norm(p.z, axis=1)[:, None], [], potentials.drawn(one)
    for surface, name in ((one, "invariant"), (many, "invariant-sections")):
        features = potentials.features(Comm(), surface, degree, name)
        c = features.balanced(surface, features.moments(unit, p.weight, degree), degree, draw)
        potential.append(1 + features.potential(p.z, c))
    ours, theirs = (each / each.mean() for each in potential)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert np.ptp(ours) > 0.1


def test_too_many_orbits_are_refused_at_once():
    with telling(InputError, "kernel.degree", 4000, 'kernel.features = "sections"'):
        MultiInvariants.count(GROUPS["random"][0], 3)


def test_no_permutation_is_missed():
    # Against all of them, one by one.
    surface = symmetric_bicubic()
    z = np.random.default_rng(1).normal(size=(2, 6))
    value, found = surface.value(z)[:, 0], 0
    for left in permutations(range(3)):
        for right in permutations(range(3)):
            for row in ([*left, *(3 + np.array(right))], [*(3 + np.array(left)), *right]):
                found += np.allclose(surface.value(z[:, row])[:, 0], value)
    assert found == surface.group.order
