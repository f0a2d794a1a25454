"""Kernels against closed forms and independent integrals."""

import json
from pathlib import Path

import numpy as np
import pytest
from facts import telling

from mpiflow import config
from mpiflow.errors import InputError
from mpiflow.geometry.projective import distance
from mpiflow.kernels.delta import Delta
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK


def points(count, n=4, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, n + 1)) + 1j * rng.normal(size=(count, n + 1))
    return z / z[np.arange(count), np.abs(z).argmax(1)][:, None]


def sampled_ntk(depth, w_std, b_std, x, y, rng):
    """The NTK recursion with both Gaussian expectations by Monte Carlo, of one pair: independent of arccos forms."""
    u, v = (np.concatenate([p.real, p.imag]) for p in (x, y))
    sigma = w_std**2 * np.array([[u @ u, u @ v], [u @ v, v @ v]]) / len(u) + b_std**2
    theta = sigma[0, 1]
    normal = rng.normal(size=(1_000_000, 2))
    for _ in range(depth):
        f = normal @ np.linalg.cholesky(sigma).T
        on = f > 0
        relu = f * on
        sigma = w_std**2 * relu.T @ relu / len(f) + b_std**2
        theta = sigma[0, 1] + theta * w_std**2 * np.mean(on[:, 0] & on[:, 1])
    return theta


@pytest.mark.parametrize("kernel", [Gaussian(0.3), ReluNTK(1, 1.0, 0.0), ReluNTK(3, 1.2, 0.3)])
def test_symmetric_kernels_have_a_symmetric_tile_and_the_right_diagonal(kernel):
    x = points(40)
    k = kernel.tile(x, x)
    assert kernel.symmetric
    np.testing.assert_allclose(k, k.T, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(np.diag(k), kernel.diagonal(x), rtol=1e-14)


@pytest.mark.parametrize("kernel", [Gaussian(0.3), ReluNTK(1, 1.0, 0.0), ReluNTK(2, 1.2, 0.3)])
def test_tile_and_pairs_agree(kernel):
    x, y = points(20), points(20, seed=1)
    y[:5] = x[:5] + 1e-9
    y[5:10] = -x[5:10]
    np.testing.assert_allclose(np.diag(kernel.tile(x, y)), kernel.pairs(x, y), atol=1e-13)


def test_gaussian_is_one_number_of_the_distance():
    x, y = points(30), points(30, seed=1)
    assert np.allclose(Gaussian(0.4).pairs(x, y), np.exp(-(distance(x, y) ** 2) / 0.32), rtol=1e-13)


def test_gaussian_resolves_pairs_that_a_gram_product_cannot():
    x = points(1)
    step = 1e-10 * (points(1, seed=1) - x)
    d = distance(x, x + step)[0]
    assert 1e-11 < d < 1e-9
    assert Gaussian(d).tile(x, x + step)[0, 0] == pytest.approx(np.exp(-0.5), rel=1e-6)


def test_gaussian_depends_on_the_projective_point_alone():
    x, y = points(10), points(12, seed=1)
    phase = np.exp(1j * np.arange(12))[:, None] * 3
    np.testing.assert_allclose(Gaussian(0.3).tile(x, phase * y), Gaussian(0.3).tile(x, y), atol=1e-14)


def test_gaussian_falls_to_the_tolerance_at_its_reach():
    assert Gaussian(0.3).at(Gaussian(0.3).reach(1e-3)) == pytest.approx(1e-3)
    assert Gaussian(0.3).reach(5.0) == 0


def test_orthogonal_points_are_the_farthest():
    x, y = np.eye(3, dtype=complex)[:1], np.eye(3, dtype=complex)[1:2]
    assert Gaussian(0.5).tile(x, y)[0, 0] == pytest.approx(np.exp(-(np.pi**2) / 2), rel=1e-13)


def test_delta_takes_the_nearest_and_the_lowest_index_on_ties():
    y = np.concatenate([points(6), points(6)])
    k = Delta().tile(y[3:5] + 1e-9, y)
    np.testing.assert_array_equal(k.argmax(1), [3, 4])
    np.testing.assert_array_equal(k.sum(1), 1)
    assert not Delta.symmetric


@pytest.mark.parametrize(("depth", "w_std", "b_std"), [(1, 1.0, 0.0), (2, 1.3, 0.0), (2, 1.3, 0.5)])
def test_relu_ntk_is_the_recursion_of_gaussian_expectations(depth, w_std, b_std):
    x, y = points(1), points(1, seed=1)
    expected = sampled_ntk(depth, w_std, b_std, x[0], y[0], np.random.default_rng(0))
    assert ReluNTK(depth, w_std, b_std).tile(x, y)[0, 0] == pytest.approx(expected, rel=0.01)


def test_relu_ntk_agrees_with_neural_tangents():
    # Made by tests/benchmarks/peers/relu_ntk_reference.py with neural-tangents 0.6.5 in float64.
    reference = json.loads((Path(__file__).parent / "data" / "relu_ntk_reference.json").read_text())
    z, w = (np.array(reference[name]) for name in ("z", "w"))
    z, w = z[:, :5] + 1j * z[:, 5:], w[:, :5] + 1j * w[:, 5:]
    assert {(case["depth"], case["b_std"] > 0) for case in reference["cases"]} == {
        (depth, bias) for depth in (1, 2, 3) for bias in (False, True)
    }
    for case in reference["cases"]:
        k = ReluNTK(case["depth"], case["w_std"], case["b_std"]).tile(z, w)
        np.testing.assert_allclose(k, case["kernel"], rtol=0, atol=1e-12)


def test_relu_ntk_has_its_cusp_at_coinciding_points():
    x = points(1)
    near = x + 1e-9 * points(1, seed=1)
    drop = ReluNTK(1, 1.0, 0.0).diagonal(x) - ReluNTK(1, 1.0, 0.0).tile(x, near)[0]
    u, v = (np.concatenate([p.real, p.imag], axis=1)[0] for p in (x, near))
    angle = np.linalg.norm(u / np.linalg.norm(u) - v / np.linalg.norm(v))
    norm = (u @ u) / (10 * 2 * np.pi)
    scale = ReluNTK(1, 1.0, 0.0).diagonal(x) * (1 - np.linalg.norm(v) / np.linalg.norm(u))
    assert drop[0] == pytest.approx(norm * angle + scale[0], rel=1e-5)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"name": "gaussian", "width": 0.0}, "kernel.width = 0.0"),
        ({"name": "gaussian", "width": float("nan")}, "kernel.width = nan"),
        ({"name": "relu", "depth": 0}, "kernel.depth = 0"),
        ({"name": "relu", "w_std": -1.0}, "kernel.w_std = -1.0"),
        ({"name": "relu", "b_std": -0.1}, "kernel.b_std = -0.1"),
    ],
)
def test_unusable_parameters_are_refused_in_one_line(table, key):
    with telling(InputError, key):
        config.check({"kernel": table, "flow": {"dt": 1.0}}, "x.toml")
