"""What stands beside the Gaussian on a torus, held against integrals written out, closed solutions and the law of batches."""

import numpy as np
import pytest
from facts import telling

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.grids import rk4
from mpiflow.grids.beside import Beside
from mpiflow.grids.beside.volume import Volume
from mpiflow.grids.fields.mse import MeanSquare
from mpiflow.grids.torus import FlatTorus
from mpiflow.grids.weights import Weighted
from mpiflow.job.on_grid import OnGrid


def torus(n):
    return FlatTorus(FlatTorus.Keys(points=n, modes=2, amplitude=0.1))


def flow(n=12, steps=0, dt=0.01, width=0.6, family="flat-torus", field="ricci", **keys):
    kernel = {"name": "grid", "width": width, "field": field} | keys
    table = {"manifold": {"family": family, "points": n}, "kernel": kernel, "flow": {"dt": dt, "steps": steps}}
    return OnGrid.begun(Comm(), config.check(table, "here")).flow


def test_it_is_the_integral_of_alpha_times_the_gaussian_and_the_density():
    """Over all pairs of grid points; the Gaussian of the circle is a sum over its images."""
    n, s, made = 24, 0.7, Weighted(MeanSquare(), 0.8, 0.5, None, 1)
    space, x = torus(24), 2 * np.pi * np.arange(24) / 24
    apart = x[:, None] - x + 2 * np.pi * np.arange(-3, 4)[:, None, None]
    circle = (np.exp(-(apart**2) / (2 * s**2)) / np.sqrt(2 * np.pi * s**2)).sum(0)
    v = np.cos(x)[:, None] + np.sin(2 * x) * np.cos(x)[:, None]
    cosine = np.cos(x)
    kernel = np.einsum("ac,bd,ac->abcd", circle, circle, 1 + 0.8 * np.multiply.outer(cosine, cosine))
    expected = np.einsum("abcd,cd,d->ab", kernel, v, 1 + 0.5 * cosine) * (2 * np.pi / n) ** 2
    np.testing.assert_allclose(made.spread(space, s)(v), expected, atol=1e-8)


def test_in_the_local_limit_alpha_and_the_density_are_a_factor_of_time():
    """MSE at s = 0: each point falls as exp(-alpha(x, x) r(x) t), HR 2.27."""
    found = flow(24, steps=8, dt=0.1, width=0.0, field="mse", alpha=0.3, density=0.4)
    x = found.space.spectral.coordinates()
    held(found, (1 + 0.3 * np.cos(x[0]) ** 2) * (1 + 0.4 * np.cos(x[1])))


def held(found, rate):
    """Eight steps of .1, against e^(-rate t)."""
    flat = np.array([1, 0, 1])[:, None, None]
    start = found.theta - flat
    for _ in range(8):
        found.step()
    np.testing.assert_allclose(found.theta - flat, np.exp(-0.8 * rate) * start, atol=1e-5)


class Mine(Beside):
    """As a user's: h, a density and alpha of two waves."""

    name = "mine"

    def h(self, x, volume):
        return 1 + 0.2 * np.sin(x[0])

    def density(self, x, volume):
        return 1 + 0.3 * np.cos(x[1])

    def alpha(self, x, y):
        return 1 + 0.4 * np.cos(x[0]) * np.cos(y[0])


class Scaled(Beside):
    """Mine without its alpha."""

    name = "scaled"
    h, density = Mine.h, Mine.density


def weighted(alpha=0.0, **keys):
    return Weighted(MeanSquare(), alpha, 0.0, None, 1, **keys)


def test_in_the_local_limit_a_class_is_a_factor_of_time():
    """alpha(x, x) h(x)^2 r(x) (HR 2.15 - 2.18, 2.27)."""
    found = flow(24, steps=8, dt=0.1, width=0.0, field="mse", beside=Mine())
    x = found.space.spectral.coordinates()
    rate = (1 + 0.4 * np.cos(x[0]) ** 2) * (1 + 0.2 * np.sin(x[0])) ** 2 * (1 + 0.3 * np.cos(x[1]))
    held(found, rate)


@pytest.mark.parametrize("d", [2, 3])
def test_alpha_of_a_class_summed_over_pairs_is_ours_by_transforms(d):
    space = FlatTorus(FlatTorus.Keys(dimension=d, points=20 if d == 2 else 10, modes=1))
    v = space.start()[0] ** 2
    pairs, transforms = weighted(beside=Mine()), weighted(0.4, beside=Scaled())
    for s in (0.0, 0.7):
        np.testing.assert_allclose(pairs.spread(space, s)(v), transforms.spread(space, s)(v), atol=1e-13)


def test_the_factor_of_a_volume_form_leaves_the_local_flow_as_it_is():
    """Over dV of the start, h = |gbar|^(-1/4) gives Omega = 1 (HR 2.28); at a width it is another flow."""
    space = torus(24)
    v, made = space.start()[0], weighted(beside=Volume())
    np.testing.assert_allclose(made.spread(space, 0.0)(v), v, atol=1e-13)
    volume = space.geometry(space.start()).root
    expected = volume**-0.5 * space.smoothed(volume**0.5 * v, 0.5)
    np.testing.assert_allclose(made.spread(space, 0.5)(v), space.smoothed(expected, 0.0), atol=1e-13)


def test_a_cosine_network_is_off_its_limit_by_the_variance_of_its_units():
    """K of one unit, over its 2 pi^d P(0): mean the Gaussian G, variance (1 + G(2 D)) / 2 + 1/2 - G(D)^2, D = x - x'."""
    space, s, units = torus(24), 0.8, 50
    point = np.zeros((24, 24))
    point[3, 5] = 1.0
    limit = space.smoothed(point, s)
    peak = limit.max()
    twice = np.roll(limit, (-3, -5), (0, 1))[np.ix_(2 * np.arange(24) % 24, 2 * np.arange(24) % 24)]
    expected = 0.5 + (1 + np.roll(twice, (3, 5), (0, 1)) / peak) / 2 - (limit / peak) ** 2
    drawn = [Weighted(MeanSquare(), 0.0, 0.0, None, seed, units).spread(space, s)(point) for seed in range(200)]
    assert np.abs(np.mean(drawn, 0) - limit).max() < 0.04 * peak
    assert np.mean(np.square(drawn - limit)) * units / peak**2 == pytest.approx(expected.mean(), rel=0.05)


def test_a_network_of_few_units_moves_as_many_directions_and_is_symmetric():
    space = torus(12)
    spread = weighted(units=3).spread(space, 1.0)
    matrix = np.stack([spread(one).ravel() for one in np.eye(144).reshape(144, 12, 12)])
    rates = np.linalg.eigvalsh(matrix)
    assert np.abs(matrix - matrix.T).max() < 1e-14
    assert np.abs(rates[:-3]).max() < 1e-14 and rates[-3] > 1e-3


def test_a_wider_network_is_nearer_to_the_gaussian_flow():
    """As 1 / sqrt N (design: 1.5 sqrt(pi / (s^2 N)) relative, within a factor of 2)."""
    ends = {}
    for units in (None, 1000, 64_000):
        found = flow(24, steps=5, dt=0.2, width=0.5, field="mse", units=units)
        start = found.theta
        for _ in range(5):
            found.step()
        ends[units] = found.theta - start
    moved = np.sqrt(np.mean(ends[None] ** 2))
    for units in (1000, 64_000):
        off = np.sqrt(np.mean((ends[units] - ends[None]) ** 2)) / moved
        assert 0.5 < off / (1.5 * np.sqrt(np.pi / (0.25 * units))) < 2


def test_a_batch_is_off_by_the_root_of_its_points():
    """Relative noise sqrt(Vol / ((4 pi)^(d/2) s^d N')) of a constant, over draws (design: within 10 %)."""
    space, s, count = torus(48), 0.3, 500
    noise = [
        np.mean((Weighted(MeanSquare(), 0.0, 0.0, count, seed).spread(space, s)(np.ones((48, 48))) - 1) ** 2)
        for seed in range(30)
    ]
    expected = (2 * np.pi) ** 2 / (4 * np.pi * s**2 * count)
    assert np.mean(noise) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("keys", [{"alpha": 2.0, "density": 0.7}, {"batch": 60}, {"units": 40}], ids=str)
def test_the_step_limit_is_that_of_the_weighted_kernel(keys):
    """In DeTurck's gauge near the flat metric: at the limit waves fall, at 1.5 times it they grow."""
    made = flow(12, width=0.8, field={"name": "ricci", "gauge": "deturck"}, **keys)
    space, flat = made.space, np.array([1.0, 0.0, 1.0])[:, None, None] * np.ones((3, 12, 12))
    limit = made.field.step_limit(space, flat, 0.8)
    start = flat + 1e-6 * (made.theta - flat)
    for share, grows in ((1.0, False), (1.6, True)):
        u = start
        for _ in range(40):
            u = rk4.step(lambda v: made.field.velocity(space, v, 0.8), u, share * limit)
            if not np.isfinite(u).all() or np.abs(u - flat).max() > 1e-3:
                break
        assert (np.abs(u - flat).max() > 1e-5) == grows, share


REFUSED = {
    ("kernel.alpha", 'manifold.family = "sphere"', '"flat-torus"'): {"family": "sphere", "width": 0.0, "alpha": 0.5},
    ("kernel.batch = 30", "kernel.width"): {"batch": 30, "width": 0.0},
    ("kernel.batch = 30", "kernel.density"): {"batch": 30, "density": 0.5},
    ('kernel.field.gauge = "perelman"', "kernel.alpha"): {
        "alpha": 0.5,
        "field": {"name": "ricci", "gauge": "perelman"},
    },
    ("kernel.density = 1.0", 1): {"density": 1.0},
    ("kernel.units = 9", "kernel.width"): {"units": 9, "width": 0.0},
    ("kernel.units = 9", 'kernel.beside = "mine"'): {"units": 9, "beside": Mine()},
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_cannot_be_is_one_line(facts):
    with telling(InputError, *facts):
        flow(**REFUSED[facts])
