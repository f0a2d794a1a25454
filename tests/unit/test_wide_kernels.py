"""Kernels of smooth activations against neural-tangents, sampled expectations, registers and wide finite networks."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf, ndtr

from mpiflow.kernels.erf import ErfNTK
from mpiflow.kernels.gelu import GeluNTK
from mpiflow.modes import choice

KINDS = {"erf": ErfNTK, "gelu": GeluNTK}
ACTIVATIONS = {"erf": erf, "gelu": lambda t: t * ndtr(t)}
SLOPES = {
    "erf": lambda t: 2 / np.sqrt(np.pi) * np.exp(-(t**2)),
    "gelu": lambda t: ndtr(t) + t * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi),
}


def points(count, n=4, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, n + 1)) + 1j * rng.normal(size=(count, n + 1))
    return z / z[np.arange(count), np.abs(z).argmax(1)][:, None]


def test_they_agree_with_neural_tangents():
    # Made by tests/benchmarks/peers/wide_ntk_reference.py with neural-tangents 0.6.5 in float64.
    reference = json.loads((Path(__file__).parent / "data" / "wide_ntk_reference.json").read_text())
    z, w = (np.array(reference[name]) for name in ("z", "w"))
    z, w = z[:, :5] + 1j * z[:, 5:], w[:, :5] + 1j * w[:, 5:]
    assert len(reference["cases"]) == 18
    for case in reference["cases"]:
        k = KINDS[case["name"]](**case["keys"]).tile(z, w)
        np.testing.assert_allclose(k, case["kernel"], rtol=1e-9)


@pytest.mark.parametrize("name", KINDS)
def test_moments_are_gaussian_integrals(name):
    """By Gauss-Hermite quadrature in two dimensions, and the slope as the derivative that Price's theorem says it is."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    for a, b, c in ((0.5, 0.8, 0.3), (1.0, 0.4, -0.5), (0.7, 0.7, 0.0)):
        u = np.sqrt(a) * nodes[:, None]
        v = c / np.sqrt(a) * nodes[:, None] + np.sqrt(b - c**2 / a) * nodes
        value, slope = KINDS[name].moments(a, b, c, np)
        assert value == pytest.approx(weights @ (ACTIVATIONS[name](u) * ACTIVATIONS[name](v)) @ weights, abs=1e-9)
        assert slope == pytest.approx(weights @ (SLOPES[name](u) * SLOPES[name](v)) @ weights, abs=1e-9)


@pytest.mark.parametrize("name", KINDS)
def test_wide_finite_networks_tend_to_them(name):
    """The empirical NTK of one hidden layer, drawn at three widths: the error falls about as the root of the width."""
    x, (w, b) = points(6), (1.4, 0.3)
    u = np.concatenate([x.real, x.imag], axis=1)
    exact = KINDS[name](depth=1, w_std=w, b_std=b).tile(x, x)
    errors = []
    for width in (1000, 100_000):
        rng = np.random.default_rng(0)
        pre = w * u @ rng.normal(size=(10, width)) / np.sqrt(10) + b * rng.normal(size=width)
        s, slope = ACTIVATIONS[name](pre), SLOPES[name](pre) * rng.normal(size=width)
        first = w**2 * slope @ slope.T / width * (w**2 * u @ u.T / 10 + b**2)
        errors.append(np.abs(first + w**2 * s @ s.T / width + b**2 - exact).max() / exact.max())
    assert errors[1] < 0.02 and 4 < errors[0] / errors[1] < 40


@pytest.mark.parametrize("kernel", [ErfNTK(), ErfNTK(depth=1, w_std=2.0, b_std=0.0), GeluNTK(), GeluNTK(depth=3)])
@pytest.mark.parametrize(("precision", "allowed"), [("float64", 1e-13), ("float32", 2e-6)])
def test_registers_compute_the_same(kernel, precision, allowed):
    x, y = points(70), points(50, seed=1)
    y[:10] = x[:10] + 1e-9
    y[10:20] = -x[10:20]
    exact = kernel.tile(x, y)
    for mode in ("streamed", "resident"):
        found = choice.build(kernel, x, y, mode=mode, precision=precision).apply(np.eye(50))
        assert np.abs(found - exact).max() < allowed * exact.max()


@pytest.mark.parametrize("kernel", [ErfNTK(), GeluNTK(depth=3)])
def test_they_are_symmetric_and_positive(kernel):
    x = points(40)
    k = kernel.tile(x, x)
    assert kernel.symmetric
    np.testing.assert_allclose(k, k.T, rtol=1e-13)
    np.testing.assert_allclose(np.diag(k), kernel.diagonal(x), rtol=1e-12)
    assert np.linalg.eigvalsh(k).min() > 0
