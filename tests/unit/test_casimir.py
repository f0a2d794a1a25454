"""The preconditioner of generic features: a function of the Casimir operator, exact on P^n, and worth its name on X."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import factorial
from surfaces import fermat, problem, random_quartic

from mpiflow import hermitian, sampling
from mpiflow.flows.linearised import Linearised, conjugate_gradients
from mpiflow.geometry.domain import Frame
from mpiflow.geometry.polynomial import monomials
from mpiflow.kernels.casimir import eigenvalues
from mpiflow.kernels.reduction import reduction
from mpiflow.kernels.sections import Sections, sections


def of_level(level, degree, coordinates):
    """h of Re z_0^l zbar_1^l |z|^(2k - 2l), which lies in representation l alone: (M, M) Hermitian."""
    exponents = monomials(degree, coordinates)
    number = {tuple(row): m for m, row in enumerate(exponents.tolist())}
    h = np.zeros((len(exponents),) * 2)
    for m, alpha in enumerate(exponents):
        beta = alpha + level * np.eye(coordinates, dtype=int)[1] - level * np.eye(coordinates, dtype=int)[0]
        if beta[0] >= 0:
            in_common = factorial(np.minimum(alpha, beta)).prod()
            h[m, number[tuple(beta)]] = np.sqrt(factorial(alpha).prod() * factorial(beta).prod()) / in_common
    return (h + h.T).astype(complex)


@pytest.mark.parametrize("degree", [2, 4, 8])
def test_levels_are_multiplied_by_their_own_numbers(degree):
    """Below the degree of Q nothing is reduced; at 8 of P^3 the polynomial has 9 nodes up to 88."""
    coordinates = 4
    casimir = Sections(monomials(degree, coordinates)).inverse(fermat(3))
    expected = eigenvalues((degree,), (coordinates - 1,), (1.0,))
    expected[0] = expected[1]
    for level in range(degree + 1):
        h = hermitian.to_reals(of_level(level, degree, coordinates))
        np.testing.assert_allclose(casimir(h), expected[-1] / expected[level] * h, rtol=0, atol=1e-9 * np.abs(h).max())


def test_eigenvalues_are_those_of_the_round_metric():
    """The mean of (tr d dbar phi)^2 over 40 000 points of P^3, for |h| = 1 in each representation."""
    degree, coordinates, points = 3, 4, 40_000
    rng = np.random.default_rng(0)
    z = rng.normal(size=(points, coordinates, coordinates)) + 1j * rng.normal(size=(points, coordinates, coordinates))
    unitary = np.linalg.qr(z)[0]
    here = Frame(unitary[:, :, 0], unitary[:, :, 1:], bend=np.zeros(points), lower=np.zeros(points))
    features = Sections(monomials(degree, coordinates))
    values = features.prepare(here)
    measured = []
    for level in range(1, degree + 1):
        h = of_level(level, degree, coordinates)
        reals = features.contract(values, features.load(hermitian.to_reals(h / np.linalg.norm(h))))
        measured.append((reals[:, : coordinates - 1].sum(1) ** 2).mean())
    expected = eigenvalues((degree,), (coordinates - 1,), (1.0,))[1:]
    np.testing.assert_allclose(np.array(measured) / measured[0], expected / expected[0], rtol=0.05)


@pytest.mark.parametrize("degree", [3, 5, 9])
def test_all_monomials_of_a_degree_by_the_sections(degree):
    """At 9 the multiples of Q hold more than one multiple of its leading monomial each."""
    surface = random_quartic()
    z = sampling.chunk(surface, 0, sampling.TRAIN, 0, None).z[:50]
    z = z / np.linalg.norm(z, axis=1)[:, None]
    features = sections(surface, degree)
    every = Sections(monomials(degree, 4))
    expected, kept = (chosen.ambient(z, 0)[:, 0] for chosen in (every, features))
    np.testing.assert_allclose(kept @ reduction(surface, features).T, expected, atol=1e-10)


def test_symmetric_and_positive_definite_on_the_quotient():
    surface = random_quartic()
    casimir = sections(surface, 5).inverse(surface)
    x, y = np.random.default_rng(2).normal(size=(2, 52**2))
    assert casimir(x) @ y == pytest.approx(x @ casimir(y), rel=1e-10)
    assert casimir(x) @ x > 0


def test_fewer_iterations_for_the_same_accuracy():
    """To a residual of 1e-2 at degree 5: 13 iterations instead of 25."""
    surface = random_quartic()
    features = sections(surface, 5)
    train = problem(surface, features, 9000)
    state = train.at(np.zeros(len(features)))

    def residual(preconditioner, iterations):
        linear = Linearised(train, state, preconditioner)
        right = linear.adjoint(linear.centred(state.residual))
        x = conjugate_gradients(linear, right, 1e-6, iterations, accuracy=0.0)
        image = linear.adjoint(linear.centred(linear.apply(x))) + 1e-6 * linear.scale * x
        return np.linalg.norm(right - image) / np.linalg.norm(right)

    assert residual(features.inverse(surface), 14) < residual(None, 20)
