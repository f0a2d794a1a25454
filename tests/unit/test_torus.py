"""Metrics on a torus: derivatives, curvature, gauges, and Perelman's functional, held against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from mpiflow.grids import energy, gauges, ground, rk4, symmetric
from mpiflow.grids.fields.mse import MeanSquare
from mpiflow.grids.torus import FlatTorus


def torus(n, d=2, **keys):
    return FlatTorus(FlatTorus.Keys(points=n, dimension=d, **keys))


def flowed(space, u, width, time, steps, gauge="hamilton", **keys):
    for _ in range(steps):
        u = rk4.step(lambda v: space.ricci(v, width, gauge, **keys), u, time / steps)
    return u


def wave(space, k, axis=0):
    return np.cos(k * space.spectral.coordinates()[axis]) * np.ones(space.shape)


def test_the_least_eigenvalue_and_the_inverse_are_those_of_matrices():
    rng = np.random.default_rng(1)
    for d in (2, 3):
        g = rng.normal(size=(symmetric.components(d), 50)) + 3 * symmetric.unit((50,), d)
        matrices = np.stack([symmetric.matrix(g[:, p]) for p in range(50)])
        np.testing.assert_allclose(symmetric.least(g), np.linalg.eigvalsh(matrices)[:, 0], atol=1e-7)
        inverse, determinant = symmetric.inverse(g)
        np.testing.assert_allclose(determinant, np.linalg.det(matrices), rtol=1e-11)
        np.testing.assert_allclose(symmetric.matrix(inverse[:, 7]), np.linalg.inv(matrices[7]), rtol=1e-10, atol=1e-12)
        e = rng.normal(size=g.shape)
        raised = np.linalg.inv(matrices[3]) @ symmetric.matrix(e[:, 3]) @ np.linalg.inv(matrices[3])
        np.testing.assert_allclose(symmetric.matrix(symmetric.raised(inverse, e)[:, 3]), raised, rtol=1e-9, atol=1e-12)


def test_a_conformal_metric_has_its_curvature():
    """R = -Lap log v / v in two dimensions; in three R = -2 v^-1 (Lap log v + |d log v|^2 / 4) of g = v delta."""
    for d, n in ((2, 48), (3, 32)):
        space = torus(n, d)
        f = 0.2 * (wave(space, 1, 0) + wave(space, 1, 1) * wave(space, 1, d - 1))
        spectrum = space.spectral.forward(f)
        geometry = space.geometry(np.exp(f) * symmetric.unit(space.shape, d))
        laplace = space.spectral.backward(-space.spectral.square * spectrum)
        slope = sum(part**2 for part in space.spectral.slopes(spectrum))
        wanted = -laplace if d == 2 else -2 * (laplace + slope / 4)
        np.testing.assert_allclose(geometry.scalar, wanted / np.exp(f), atol=1e-9)


RATES = {"hamilton": (0, 0, -1), "deturck": (-1, -1, -1), "lambda": (0, 0, -1), "perelman": (1, 0, -1)}


@pytest.mark.parametrize("gauge", RATES)
@pytest.mark.parametrize("width", [0.0, 0.4])
def test_a_small_mode_grows_as_its_gauge_has_it(gauge, width):
    space, k, tiny = torus(16), 2, 1e-6
    for place, rate in enumerate(RATES[gauge]):
        u = space.geometry(symmetric.unit(space.shape, 2)).g.copy()
        u[place] += tiny * wave(space, k)
        slope = space.ricci(u, width, gauge)[place]
        found = 2 * (slope * wave(space, k)).mean() / tiny
        assert found == pytest.approx(rate * k**2 * np.exp(-(width**2) * k**2 / 2), abs=1e-5 * k**2)


def test_the_mean_square_error_falls_as_exp_minus_t():
    space = torus(12, modes=2, amplitude=0.2)
    unit = symmetric.unit(space.shape, 2)
    start, field = space.start(), MeanSquare()
    local = start
    for _ in range(200):
        local = rk4.step(lambda v: field.velocity(space, v, 0.0), local, 0.01)
    assert np.abs(local - unit - np.exp(-2.0) * (start - unit)).max() < 1e-9
    one = unit + 0.3 * wave(space, 2)
    u, s = one, 0.5
    for _ in range(200):
        u = rk4.step(lambda v: field.velocity(space, v, s), u, 0.01)
    assert np.abs(u - unit - np.exp(-2.0 * np.exp(-(s**2) * 4 / 2)) * (one - unit)).max() < 1e-11


@pytest.mark.parametrize("weighed", [True, False])
def test_a_factor_on_both_sides_of_the_kernel_sets_the_rate(weighed):
    """h N_s h tends to h^2 (HR 2.15 - 2.18); |gbar|^(-1/4) on both sides takes a volume form sqrt|gbar| away (HR 2.28)."""
    space, time, steps = torus(32), 1.0, 100
    root, r = 1 + 0.3 * wave(space, 1), 0.2 * wave(space, 2, 1)
    h, volume = (root**-0.5, root) if weighed else (root**0.5, 1.0)
    left = r
    for _ in range(steps):
        left = rk4.step(lambda f: -h * space.smoothed(h * volume * f, 0.0), left, time / steps)
    rate = 1.0 if weighed else root
    assert np.abs(left - np.exp(-rate * time) * r).max() < 1e-8


def invariants(space, u):
    found = space.measures(u)
    return [found["volume"], found["integral_R2"], ground.state(space.geometry(u))[0]]


def test_gauges_agree_on_what_no_diffeomorphism_changes():
    space = torus(24, modes=1, amplitude=0.02)
    start = space.start()
    ends = [invariants(space, flowed(space, start, 0.0, 0.02, 4, gauge)) for gauge in RATES]
    assert np.ptp(ends, axis=0).max() < 1e-9
    assert abs(ends[0][1] - invariants(space, start)[1]) > 1e-5


def test_lambda_is_the_least_of_its_rayleigh_quotients():
    space = torus(16, modes=1, amplitude=0.05)
    geometry = space.geometry(space.start())
    value, f = ground.state(geometry)
    phi = space.spectral.forward(-2 * np.log(f))
    assert energy.energy(geometry, phi) == pytest.approx(value, abs=1e-9)
    assert (
        value
        < geometry.spectral.integral(geometry.scalar * geometry.root)[0] / geometry.spectral.integral(geometry.root)[0]
    )


def pair(space, start, time, steps):
    """Hamilton's flow forward, and from its end the conjugate heat equation back: F and growth at the end and at the start."""
    dt, path = time / steps, [start]
    for _ in range(2 * steps):
        path.append(rk4.step(lambda v: space.ricci(v), path[-1], dt / 2))
    geometries = [space.geometry(u) for u in path]
    phi = gauges.phi_of_measure(geometries[-1], 1 + 0.1 * wave(space, 1))
    end = phi
    for step in range(steps, 0, -1):
        late, middle, early = geometries[2 * step], geometries[2 * step - 1], geometries[2 * step - 2]
        a = energy.conjugate(late, phi)
        b = energy.conjugate(middle, phi - dt / 2 * a)
        c = energy.conjugate(middle, phi - dt / 2 * b)
        d = energy.conjugate(early, phi - dt * c)
        phi = phi - dt / 6 * (a + 2 * b + 2 * c + d)
    return geometries, phi, end


def test_perelmans_pair_is_the_flow_with_a_fixed_measure():
    space, time, steps = torus(24, modes=1, amplitude=0.02), 0.06, 12
    geometries, first, last = pair(space, space.start(), time, steps)
    density = np.exp(-space.spectral.backward(first)) * geometries[0].root

    def velocity(u):
        geometry = space.geometry(u)
        return -2 * geometry.tensor(geometry.ricci(gauges.perelman(geometry, density)))

    u, values = geometries[0].g, []
    for _ in range(steps):
        values.append(energy.energy(g := space.geometry(u), gauges.phi_of_measure(g, density)))
        u = rk4.step(velocity, u, time / steps)
    geometry = space.geometry(u)
    phi = gauges.phi_of_measure(geometry, density)
    for found, wanted in zip(
        (space.measures(u)[name] for name in ("volume", "integral_R2")),
        (space.measures(geometries[-1].g)[name] for name in ("volume", "integral_R2")),
        strict=True,
    ):
        assert found == pytest.approx(wanted, abs=1e-10)
    assert energy.energy(geometry, phi) == pytest.approx(energy.energy(geometries[-1], last), abs=1e-10)
    assert energy.growth(geometry, phi) == pytest.approx(energy.growth(geometries[-1], last), abs=1e-8)
    assert np.diff([*values, energy.energy(geometry, phi)]).min() > 0


def test_perelmans_functional_rises_at_the_rate_of_its_slope():
    space = torus(24, modes=1, amplitude=0.03)
    u, h = space.start(), 1e-3
    later, earlier = (rk4.step(lambda v: space.ricci(v, 0.0, "perelman"), u, dt) for dt in (h, -h))
    ends = [energy.energy(g := space.geometry(v), gauges.phi_of_measure(g)) for v in (later, earlier)]
    geometry = space.geometry(u)
    wanted = energy.growth(geometry, gauges.phi_of_measure(geometry))
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(wanted, rel=1e-4)
    # Richardson's step takes the error of the difference away.
    later, earlier = (rk4.step(lambda v: space.ricci(v, 0.0, "perelman"), u, dt) for dt in (h / 2, -h / 2))
    half = [energy.energy(g := space.geometry(v), gauges.phi_of_measure(g)) for v in (later, earlier)]
    better = (4 * (half[0] - half[1]) / h - (ends[0] - ends[1]) / (2 * h)) / 3
    assert better == pytest.approx(wanted, rel=1e-7)


def test_the_non_local_flow_leaves_the_local_one_as_the_square_of_the_width():
    space = torus(16, modes=1, amplitude=0.05)
    start = space.start()
    local = flowed(space, start, 0.0, 0.1, 10)
    off = [np.abs(flowed(space, start, s, 0.1, 10) - local).max() for s in (0.1, 0.05)]
    assert np.log2(off[0] / off[1]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("n", [9, 14])
def test_a_step_is_stable_up_to_its_limit_on_any_grid(n):
    space, s = torus(n), 0.5
    unit = symmetric.unit(space.shape, 2)
    assert space.step_limit(unit, s) == pytest.approx(2.785293563 * np.e * s**2 / 2, rel=1e-6)
    ends = []
    for share in (0.98, 1.02):
        u = unit + 1e-8 * wave(space, 2, 0) * wave(space, 2, 1)
        for _ in range(40):
            u = rk4.step(lambda v: space.ricci(v, s, "deturck"), u, share * space.step_limit(unit, s))
        ends.append(np.abs(u - unit).max())
    assert ends[0] < 4e-9 and ends[1] > 3e-8


def test_perelmans_functional_never_falls_with_the_literal_index():
    for seed in range(4):
        space = torus(12, modes=2, amplitude=0.08, seed=seed)
        u = space.start()
        for s in (0.0, 0.8, 1.6):
            assert rising(space, u, space.ricci(u, s, "perelman", "frobenius")) > 0


def rising(space, u, velocity):
    """dF = -int <dg, E> m of a direction, m the flat background's."""
    geometry = space.geometry(u)
    upper = symmetric.raised(geometry.inverse, energy.slope(geometry, gauges.phi_of_measure(geometry)))
    product = sum((1 if i == j else 2) * velocity[c] * upper[c] for c, (i, j) in enumerate(geometry.pairs))
    return -space.spectral.integral(product)[0]
