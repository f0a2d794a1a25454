"""Networks whose last layer alone is trained: their limits, and how finite ones tend to them."""

import numpy as np
import pytest
from facts import telling

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.cosine import Cosine
from mpiflow.kernels.gauss_net import GaussNet
from mpiflow.modes import choice


def points(count, n=4, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, n + 1)) + 1j * rng.normal(size=(count, n + 1))
    return z / z[np.arange(count), np.abs(z).argmax(1)][:, None]


def cosine_variance(kernel, x, y):
    """Of one unit at each pair: (1 + e^(-2 s^2 D^2)) / 2 - e^(-s^2 D^2) + 1/2, s the deviation of the weights, D = |x - y|."""
    t = kernel.w_std**2 * (np.abs(x[:, None] - y) ** 2).sum(-1)
    return (1 + np.exp(-2 * t)) / 2 - np.exp(-t) + 0.5


def gauss_net_variance(kernel, x, y):
    """Of one unit, K^2 (exp(s_w^2 |x + y|^2 / m + 4 s_b^2) - 1)."""
    plus, minus = ((np.abs(x[:, None] + sign * y) ** 2).sum(-1) / (2 * x.shape[1]) for sign in (1, -1))
    w = kernel.w_std**2
    return np.exp(-w * minus) * (np.exp(w * plus + 4 * kernel.b_std**2) - 1)


KERNELS = [(Cosine, {"w_std": 1.5}, cosine_variance), (GaussNet, {"w_std": 1.0, "b_std": 0.1}, gauss_net_variance)]


@pytest.mark.parametrize(("kind", "keys", "variance"), KERNELS)
def test_kernels_of_finite_width_scatter_about_the_limit_as_one_over_its_root(kind, keys, variance):
    """rms over pairs and draws of K_N - K, over the exact standard deviation: 1 within 10 % at every width."""
    x, y = points(20), points(25, seed=1)
    limit = kind(**keys).tile(x, y)
    exact = np.sqrt(variance(kind(**keys), x, y).mean())
    scatter = []
    for units, draws in ((64, 200), (1024, 100), (16_384, 40)):
        off = [kind(units=units, seed=seed, **keys).tile(x, y) - limit for seed in range(draws)]
        scatter.append(np.sqrt(np.mean(np.square(off))))
        assert scatter[-1] == pytest.approx(exact / np.sqrt(units), rel=0.1), units
    assert 0.4 < np.log(scatter[0] / scatter[-1]) / np.log(256) < 0.66


@pytest.mark.parametrize("kernel", [Cosine(), Cosine(w_std=30.0), GaussNet(), GaussNet(w_std=9.0)])
@pytest.mark.parametrize(("precision", "allowed"), [("float64", 1e-13), ("float32", 2e-6)])
def test_registers_compute_the_limit(kernel, precision, allowed):
    x, y = points(70), points(50, seed=1)
    y[:10] = x[:10] + 1e-7
    exact = kernel.tile(x, y)
    assert kernel.symmetric and not kernel.on_arrays
    np.testing.assert_allclose(kernel.pairs(x[:50], y), np.diag(exact), rtol=1e-10, atol=1e-200)
    for mode in ("streamed", "resident"):
        found = choice.build(kernel, x, y, mode=mode, precision=precision).apply(np.eye(50))
        assert np.abs(found - exact).max() < allowed


def test_each_component_has_a_network_of_its_own():
    x, y, v = points(140), points(30, seed=1), np.random.default_rng(0).normal(size=(30, 4))
    kernel = Cosine(units=1100, networks=4)
    tiles = kernel.tile(x, y)
    assert tiles.shape == (4, 140, 30) and not kernel.symmetric
    np.testing.assert_array_equal(tiles[0], Cosine(units=1100).tile(x, y))
    correlation = np.corrcoef((tiles - Cosine().tile(x, y)).reshape(4, -1))
    assert np.abs(correlation - np.eye(4)).max() < 0.2
    for mode in ("streamed", "resident"):
        built = choice.build(kernel, x, y, mode=mode)
        np.testing.assert_allclose(built.apply(v), np.einsum("cxy,yc->xc", tiles, v), atol=1e-13)
        assert mode == "streamed" or built.bytes > 8 * tiles.size


def test_a_wider_network_begins_with_the_units_of_a_narrower_one():
    x = points(5)
    sums = [units * Cosine(units=units).tile(x, x) for units in (1000, 1500, 2100)]
    parts = [b - a for a, b in zip(sums[:-1], sums[1:], strict=True)]
    for part, units in zip(parts, (500, 600), strict=True):
        assert np.linalg.eigvalsh(part).min() > 0 and np.trace(part) / (5 * units) == pytest.approx(1, abs=0.1)


def checked(kernel, **flow):
    return config.check({"kernel": kernel, "flow": {"dt": 0.05, "steps": 2} | flow}, "x.toml")


@pytest.mark.parametrize(
    ("kernel", "flow", "facts"),
    [
        (
            {"name": "gauss-net", "units": 64, "w_std": 1.5},
            {},
            ("kernel.w_std = 1.5", 1.06, 1.414),
        ),
        ({"name": "cosine", "units": 64, "networks": 5}, {}, ("kernel.networks = 5", 9)),
        ({"name": "cosine", "networks": 9}, {}, ("kernel.networks = 9", "kernel.units")),
        (
            {"name": "cosine", "units": 64, "networks": 9},
            {"normalisation": "row"},
            ("kernel.networks = 9", "flow.normalisation"),
        ),
        ({"name": "cosine", "units": 64}, {"coupling": "halo"}, ('flow.coupling = "halo"', "cosine", '"all"')),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(kernel, flow, facts):
    with telling(InputError, *facts):
        checked(kernel, **flow)


def test_the_limit_of_a_gauss_net_may_be_as_narrow_as_one_likes():
    assert checked({"name": "gauss-net", "w_std": 5.0}).kernel.rate(10) == 1.25


def flowed(**keys):
    """The metric on unseen points after a few steps of a flow of a cosine network, and the reference there."""
    table = {
        "points": {"train": 150, "test": 60},
        "kernel": {"name": "cosine", "w_std": 2.0} | keys,
        "flow": {"dt": 0.1, "steps": 5},
    }
    made = Flowing.begun(Comm(), config.check(table, "test"))
    begun = made.watched().copy()
    return made.finish().watched(), begun


def test_flows_of_wide_networks_tend_to_the_flow_of_the_limit():
    limit, begun = flowed()
    errors = []
    for units in (64, 1024):
        found = [flowed(units=units, networks=9, seed=seed)[0] for seed in range(3)]
        errors.append(np.sqrt(np.mean(np.abs(np.array(found) - limit) ** 2)))
    assert errors[1] < np.sqrt(np.mean(np.abs(limit - begun) ** 2))
    assert 0.4 < np.log(errors[0] / errors[1]) / np.log(16) < 0.66
