"""Invariant features: as many as there are, invariant, orthonormal, and with the derivatives they claim."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from facts import telling
from surfaces import dwork, fermat

from mpiflow import hermitian, sampling
from mpiflow.errors import InputError
from mpiflow.geometry import charts
from mpiflow.geometry.frames import frame
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.geometry.symmetry import symmetry_of
from mpiflow.kernels.growth import invariants
from mpiflow.kernels.monomials import derivatives

SURFACES = [fermat(2), fermat(3), fermat(4), fermat(5), dwork(4, 0.5), dwork(3, 0.3)]


def _points(surface, count):
    return sampling.chunk(surface, 3, sampling.TRAIN, 0, None).map(lambda rows: rows[:count])


def _features(surface, degree):
    symmetry = symmetry_of(surface)
    return invariants(symmetry, degree, _points(surface, 2 * symmetry.count(degree) + 100).z)


def test_counts_on_the_quintic():
    counts = [symmetry_of(fermat(4)).count(k) for k in range(2, 26, 2)]
    assert counts == [1, 4, 9, 19, 37, 69, 124, 215, 360, 585, 925, 1427]


@pytest.mark.parametrize("surface", SURFACES)
def test_no_function_is_missing(surface):
    """The rank of all orbits of one bidegree on points of X is the count (and one, for the constant)."""
    degree, symmetry = 6, symmetry_of(surface)
    z = _points(surface, 400).z
    z = z / np.linalg.norm(z, axis=1)[:, None]
    columns = []
    for orbit in symmetry.candidates(degree):
        terms = (
            np.prod([z[:, i] ** a * z[:, i].conj() ** b for i, (a, b) in enumerate(order)], axis=0)
            for order in set(permutations(orbit))
        )
        columns.append(sum(terms).real)
    values = np.array(columns)
    values /= np.linalg.norm(values, axis=1)[:, None]
    assert np.linalg.matrix_rank(values, tol=1e-8) == symmetry.count(degree) + 1
    assert len(_features(surface, degree)) == symmetry.count(degree)


@pytest.mark.parametrize("surface", SURFACES)
def test_features_do_not_feel_the_symmetry(surface):
    features, z = _features(surface, 6), _points(surface, 20).z
    phases = np.exp(2j * np.pi * np.array([1, -1] + [0] * (surface.degree - 2)) / surface.degree)
    rng = np.random.default_rng(1)
    for image in (z[:, rng.permutation(surface.degree)], z * phases, z.conj(), 1.7j * z):
        np.testing.assert_allclose(features.values(image), features.values(z), atol=1e-9)


def test_features_are_orthonormal_on_their_sample():
    surface = fermat(4)
    symmetry = symmetry_of(surface)
    z = _points(surface, 300).z
    values = invariants(symmetry, 10, z).values(z)
    np.testing.assert_allclose(values @ values.T / 300, np.eye(37), atol=1e-9)
    np.testing.assert_allclose(values.mean(1), 0, atol=1e-9)


@pytest.mark.parametrize("surface", SURFACES)
def test_hessian_against_differences(surface):
    """d dbar along X of every feature, by second differences of its values along random directions of the chart."""
    features, points = _features(surface, 5), _points(surface, 6)
    here = frame(surface, points.z, points.chart)
    hessian = hermitian.from_reals(features.prepare(here))
    lower = here.lower
    chart_hessian = lower @ hessian @ lower.conj().transpose(0, 2, 1)
    rng = np.random.default_rng(2)
    v = rng.normal(size=(6, surface.dimension)) + 1j * rng.normal(size=(6, surface.dimension))
    expected = np.einsum("xa,mxab,xb->mx", v, chart_hessian, v.conj()).real
    step = 2e-3

    def at(factor):
        return features.values(charts.displaced(surface, points.z, points.chart, factor * step * v))

    # The mean over a circle is f + step^2 v.H.vbar + O(step^8) with eight points of it.
    circle = np.mean([at(np.exp(2j * np.pi * k / 8)) for k in range(8)], axis=0) - features.values(points.z)
    found = circle / step**2
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()


def test_monomial_derivatives_against_differences():
    labels = np.array([[0, 0], [3, 3], [5, 1], [2, 7], [0, 4]])
    z = np.array([0.3 + 0.4j, 0.7 - 0.1j])
    f = derivatives(z, labels, 2)
    np.testing.assert_allclose(f[3, 0, 0], z**2 * z.conj() ** 7)
    h = 1e-5
    for p, q in ((0, 0), (1, 0), (0, 1), (1, 1)):

        def value(shift, p=p, q=q):
            return derivatives(z + shift, labels, 2)[:, p, q]

        dx, dy = ((value(h * u) - value(-h * u)) / (2 * h) for u in (1, 1j))
        np.testing.assert_allclose((dx - 1j * dy) / 2, f[:, p + 1, q], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose((dx + 1j * dy) / 2, f[:, p, q + 1], rtol=1e-6, atol=1e-6)


#: What a surface without the symmetry has in place of invariants.
GENERIC = 'kernel.features = "invariant"', 'kernel.features = "generic"'


def test_surfaces_without_the_symmetry_are_refused():
    exponents = np.vstack([5 * np.eye(5, dtype=int), [[3, 2, 0, 0, 0]]])
    with telling(InputError, *GENERIC):
        symmetry_of(Hypersurface(exponents, np.ones(6)))
    with telling(InputError, *GENERIC):
        symmetry_of(Hypersurface(5 * np.eye(5, dtype=int), np.arange(1, 6)))
    with telling(InputError, *GENERIC):
        symmetry_of(dwork(4, 0.5j))
    assert symmetry_of(Hypersurface(exponents[:5], np.ones(5))) and symmetry_of(dwork(4, 0.5))
    with telling(InputError, "kernel.degree = 1", 2):
        invariants(symmetry_of(fermat(4)), 1, np.ones((10, 5)))
