"""What stands beside the Gaussian on a torus, held against integrals written out, closed solutions and the law of batches."""

import numpy as np
import pytest

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.grids import rk4
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
    np.testing.assert_allclose(made.spread(space, v, s), expected, atol=1e-8)


def test_in_the_local_limit_alpha_and_the_density_are_a_factor_of_time():
    """MSE at s = 0: each point falls as exp(-alpha(x, x) r(x) t), HR 2.27."""
    found = flow(24, steps=8, dt=0.1, width=0.0, field="mse", alpha=0.3, density=0.4)
    x = found.space.spectral.coordinates()
    start = found.theta - 1.0 * np.array([1, 0, 1])[:, None, None]
    for _ in range(8):
        found.step()
    fallen = np.exp(-0.8 * (1 + 0.3 * np.cos(x[0]) ** 2) * (1 + 0.4 * np.cos(x[1])))
    np.testing.assert_allclose(found.theta - np.array([1, 0, 1])[:, None, None], fallen * start, atol=1e-5)


def test_a_batch_is_off_by_the_root_of_its_points():
    """Relative noise sqrt(Vol / ((4 pi)^(d/2) s^d N')) of a constant, over draws (design: within 10 %)."""
    space, s, count = torus(48), 0.3, 500
    noise = [
        np.mean((Weighted(MeanSquare(), 0.0, 0.0, count, seed).spread(space, np.ones((48, 48)), s) - 1) ** 2)
        for seed in range(30)
    ]
    expected = (2 * np.pi) ** 2 / (4 * np.pi * s**2 * count)
    assert np.mean(noise) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("keys", [{"alpha": 2.0, "density": 0.7}, {"batch": 60}], ids=str)
def test_the_step_limit_is_that_of_the_weighted_kernel(keys):
    """In DeTurck's gauge near the flat metric: at the limit waves fall, at 1.5 times it they grow."""
    made = flow(12, width=0.8, field={"name": "ricci", "gauge": "deturck"}, **keys)
    space, flat = made.space, np.array([1.0, 0.0, 1.0])[:, None, None] * np.ones((3, 12, 12))
    limit = made.field.step_limit(space, flat, 0.8)
    start = flat + 1e-6 * (made.theta - flat)
    for share, grows in ((1.0, False), (1.6, True)):
        u = start
        for _ in range(80):
            u = rk4.step(lambda v: made.field.velocity(space, v, 0.8), u, share * limit)
            if not np.isfinite(u).all() or np.abs(u - flat).max() > 1e-3:
                break
        assert (np.abs(u - flat).max() > 1e-5) == grows, share


REFUSED = {
    "are of a torus": {"family": "sphere", "width": 0.0, "alpha": 0.5},
    "its points are the density": {"batch": 30, "width": 0.0},
    "leave out kernel.density": {"batch": 30, "density": 0.5},
    "safe time is known": {"alpha": 0.5, "field": {"name": "ricci", "gauge": "perelman"}},
    "kernel.density": {"density": 1.0},
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_is_one_line(said):
    with pytest.raises(InputError, match=said) as refusal:
        flow(**REFUSED[said])
    assert len(str(refusal.value).splitlines()) == 1
