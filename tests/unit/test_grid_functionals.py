"""Slopes of functionals of the metric, taken by JAX, against differences and closed forms; one of a user's."""

import numpy as np
import pytest
from facts import telling

from mpiflow.doors import loaded, own
from mpiflow.doors.door import Door
from mpiflow.grids import rk4
from mpiflow.grids.fields.curvature_squared import CurvatureSquared
from mpiflow.grids.fields.functional import Functional
from mpiflow.grids.periodic import Metric, projected
from mpiflow.grids.sphere import Sphere
from mpiflow.grids.symmetric import places
from mpiflow.grids.torus import FlatTorus
from mpiflow.network.slope import gradient


class Action(Functional):
    """int R dV."""

    name = "action"

    def value(self, metric):
        return metric.integral(metric.scalar)


class Volume(Functional):
    name = "volume"

    def value(self, metric):
        return metric.integral(metric.root * 0 + 1)


def bumpy(dimension, points, seed=0, size=0.1):
    """A smooth metric near the flat one: waves of |k_i| <= 1."""
    random, components = np.random.default_rng(seed), dimension * (dimension + 1) // 2
    x = np.meshgrid(*dimension * [2 * np.pi * np.arange(points) / points], indexing="ij")
    flat = [float(i == j) for i in range(dimension) for j in range(i, dimension)]
    waves = [
        sum(
            random.normal() * np.cos(wave @ np.array(x).reshape(dimension, -1) + 6 * random.random())
            for wave in _waves(dimension)
        )
        for _ in range(components)
    ]
    return np.stack([one + size / 3 * wave.reshape(x[0].shape) for one, wave in zip(flat, waves, strict=True)])


def _waves(dimension):
    return np.array(np.meshgrid(*dimension * [[-1, 0, 1]])).reshape(dimension, -1).T[: 3**dimension // 2]


@pytest.mark.parametrize(("functional", "dimension", "points"), [(CurvatureSquared(), 2, 16), (Action(), 3, 12)])
def test_slopes_are_those_of_differences(functional, dimension, points):
    u, along = bumpy(dimension, points), bumpy(dimension, points, seed=1) - bumpy(dimension, points, 2)
    step = 1e-3
    near, far = (functional.at(u + h * along) - functional.at(u - h * along) for h in (step, 2 * step))
    numeric = (8 * near - far) / (12 * step)
    metric, place = Metric(u), places(dimension)
    found = metric.integral((functional.slope(u) * along[place]).sum((0, 1)))
    assert found == pytest.approx(numeric, rel=1e-9)


def test_the_slope_of_the_action_is_the_einstein_tensor():
    u = bumpy(3, 12, size=0.03)
    metric = Metric(u)
    einstein = metric.ricci - metric.scalar * metric.g / 2
    raised = np.einsum("ia...,ab...,bj...->ij...", metric.inverse, einstein, metric.inverse)
    off = Action().slope(u) + projected(raised * metric.root, 3) / metric.root
    assert np.abs(off).max() < 1e-8 * np.abs(raised).max()


def test_the_action_has_no_slope_in_two_dimensions_once_projected():
    u = bumpy(2, 16)
    assert abs(Action().at(u)) < 1e-12
    raw = gradient(Action(), u) / (2 * np.pi / 16) ** 2
    assert np.abs(Action().slope(u)).max() < 1e-11 < 1e-10 < np.abs(raw).max()


def test_the_curvature_of_a_conformal_metric_is_known():
    """R = -Lap log v / v of v (dx^2 + dy^2); in three dimensions e^(-2f) (-4 Lap f - 2 |df|^2)."""
    n = 24
    x = 2 * np.pi * np.arange(n) / n
    f = 0.1 * np.cos(x)[:, None] + 0.05 * np.sin(x)
    v = np.exp(2 * f)
    metric = Metric(np.stack([v, 0 * v, v]))
    assert np.abs(metric.scalar - 2 * f / v).max() < 1e-11
    assert np.abs(metric.laplacian(f) + f / v).max() < 1e-11
    f = f[:, :, None] * np.ones(8)
    v, squares = np.exp(2 * f), (0.1 * np.sin(x))[:, None, None] ** 2 + (0.05 * np.cos(x))[:, None] ** 2
    metric = Metric(np.stack([v, 0 * v, 0 * v, v, 0 * v, v]))
    assert np.abs(metric.scalar - (4 * f - 2 * squares) / v).max() < 1e-11
    assert np.abs(metric.steepness(f) - squares / v).max() < 1e-12


def test_a_functional_falls_along_its_flow(flat_torus):
    u, functional = bumpy(2, 16, size=0.03), CurvatureSquared()
    limit = functional.step_limit(flat_torus, u, 0.0)
    values = [functional.at(u)]
    for _ in range(5):
        u = rk4.step(lambda u: functional.velocity(flat_torus, u, 0.0), u, 0.5 * limit)
        values.append(functional.at(u))
    assert (np.diff(values) < 0).all() and values[-1] < 0.99 * values[0]


@pytest.fixture
def flat_torus():
    return FlatTorus(FlatTorus.Keys(points=16))


def test_the_volume_shrinks_as_its_slope_says(flat_torus):
    """S^ij = g^ij / 2: dg = -g / 2."""
    u, volume = bumpy(2, 16), Volume()
    assert np.abs(volume.velocity(flat_torus, u, 0.0) + u / 2).max() < 1e-7


MINE = """
from mpiflow.grids.fields.functional import Functional


class Stretch(Functional):
    weight: float = 2.0

    def value(self, metric):
        return self.weight * metric.integral(metric.steepness(metric.root))
"""
WRONG = {
    "no value": ("def value", "def values", "value(self, metric)"),
    "a field": ("metric.integral(metric.steepness(metric.root))", "metric.root", "float64[8, 8]"),
    "not finite": ("return self.weight", "return float('nan')", "nan"),
}


def opened(folder, text):
    """A functional of a user's file, as the door of a run file opens it."""
    (folder / "mine.py").write_text(text)
    door = Door("kernel.field", "mpiflow.grids.fields.field:Field", "mpiflow.grids.fields")
    kind = door.kind("mine.py:Stretch", own.beside(folder))()
    loaded.tried(door, kind, {})
    return kind


def test_a_functional_of_a_users_file_falls_by_its_slope(tmp_path, flat_torus):
    functional = opened(tmp_path, MINE)
    u = bumpy(2, 16, size=0.03)
    along = functional.velocity(flat_torus, u, 0.0)
    metric, falls = Metric(u), (functional.at(u + 1e-4 * along) - functional.at(u - 1e-4 * along)) / 2e-4
    square = np.einsum("ia...,ja...->ij...", along[places(2)], metric.inverse)
    assert falls == pytest.approx(-metric.integral(np.einsum("ij...,ji...->...", square, square)), rel=1e-6)


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_functional_is_one_line(case, tmp_path):
    old, new, fact = WRONG[case]
    with telling(ValueError, f'"{tmp_path}/mine.py:Stretch"', fact):
        opened(tmp_path, MINE.replace(old, new))


def test_what_is_no_whole_torus_is_refused(flat_torus):
    sphere = Sphere(Sphere.Keys())
    with telling(ValueError, 'kernel.field = "curvature-squared"', 'manifold.family = "sphere"', '"flat-torus"'):
        CurvatureSquared().check(sphere, sphere.start(), 0.0, 1.0)
    CurvatureSquared().check(flat_torus, np.ones((3, 16, 16)), 0.0, 1.0)
