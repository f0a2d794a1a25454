"""The losses, their gradients, and the Hermitian reals they travel in."""

import numpy as np
import pytest

from mpiflow import hermitian, losses
from mpiflow.functionals.log import Log
from mpiflow.settings.course import LOSSES

#: Those that are functions of eta, and of what is known at the start.
OF_ETA = [kind() for kind in LOSSES.known().values() if kind.asks <= {"reference"}]


def positive(rng, count, d):
    a = rng.normal(size=(count, d, d)) + 1j * rng.normal(size=(count, d, d))
    return a @ a.conj().transpose(0, 2, 1) + np.eye(d)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_reals_keep_the_frobenius_product(d):
    rng = np.random.default_rng(d)
    g, h = positive(rng, 7, d), positive(rng, 7, d)
    product = np.einsum("pij,pij->p", g, h.conj()).real
    np.testing.assert_allclose((hermitian.to_reals(g) * hermitian.to_reals(h)).sum(1), product, rtol=1e-13)
    np.testing.assert_allclose(hermitian.from_reals(hermitian.to_reals(g)), g, rtol=1e-15)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("loss", OF_ETA, ids=lambda loss: loss.name)
def test_gradient_is_the_directional_derivative(loss, d):
    rng = np.random.default_rng(10 * d)
    g, direction = positive(rng, 20, d), positive(rng, 20, d) - 2 * np.eye(d)
    omega2, kappa, h = rng.uniform(0.5, 2, 20), 3.7, 1e-6
    loss = loss.at(rng.uniform(0.5, 2, 20)) if loss.asks else loss

    def value(metric):
        return loss.value(losses.eta(metric, omega2, kappa))

    slope = losses.gradient(g, losses.eta(g, omega2, kappa), loss)
    expected = (value(g + h * direction) - value(g - h * direction)) / (2 * h)
    found = (hermitian.to_reals(slope) * hermitian.to_reals(direction)).sum(1)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_determinant_agrees_with_lapack(d):
    g = positive(np.random.default_rng(d), 50, d)
    np.testing.assert_allclose(losses.determinant(g), np.linalg.det(g).real, rtol=1e-12)


def test_natural_gradient_is_g_dl_g():
    g = positive(np.random.default_rng(5), 9, 3)
    eta = losses.eta(g, np.ones(9), 2.0)
    plain = losses.gradient(g, eta, Log())
    np.testing.assert_allclose(losses.gradient(g, eta, Log(), natural=True), g @ plain @ g, rtol=1e-10)
