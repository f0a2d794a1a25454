"""cymetric's dataset.npz, written and read: the same points, and nothing believed that is not checked."""

import numpy as np
import pytest
from datasets import changed
from facts import telling
from surfaces import dwork, fermat

from mpiflow import cymetric, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry import charts, fubini_study

SURFACE = fermat(4)


@pytest.fixture
def sampled():
    return [sampling.sample(Comm(), SURFACE, 200, 3, stream)[1] for stream in (sampling.TRAIN, sampling.TEST)]


@pytest.fixture
def file(tmp_path, sampled):
    path = tmp_path / "dataset.npz"
    cymetric.write(path, SURFACE, *sampled)
    return path


def test_points_come_back(file, sampled):
    for stream, wanted in zip((sampling.TRAIN, sampling.TEST), sampled, strict=True):
        found = cymetric.read(file, SURFACE, stream, None, 200)
        np.testing.assert_allclose(found.z, wanted.z, atol=1e-15)
        np.testing.assert_array_equal(found.chart, wanted.chart)
        np.testing.assert_allclose(found.weight, wanted.weight, rtol=1e-13)
        np.testing.assert_allclose(found.omega2, wanted.omega2, rtol=1e-12)


def test_weights_are_normalised_to_the_volume_as_there(file, sampled):
    """cymetric normalises mean(det g w / |Omega|^2) to the degree, with g = g_FS / pi."""
    with np.load(file) as arrays:
        weight, omega2 = arrays["y_train"].T
    points = sampled[0]
    g = fubini_study.pulled_back(points.z, charts.jacobian(SURFACE, points.z, points.chart)) / np.pi
    np.testing.assert_allclose(np.linalg.det(g).real * weight / omega2, 5.0, rtol=1e-10)


def test_pullbacks_are_jacobians_with_the_local_index_first(file, sampled):
    with np.load(file) as arrays:
        pullbacks = arrays["val_pullbacks"]
    assert pullbacks.shape == (200, 3, 5)
    slope = SURFACE.gradient(sampled[1].z)
    np.testing.assert_allclose(np.einsum("pai,pi->pa", pullbacks, slope), 0.0, atol=1e-12)


def test_only_points_of_the_chart_are_taken_in_their_order(file, sampled):
    wanted = (sampled[0].chart == (0, 1)).all(1)
    assert 2 < wanted.sum() < 200
    found = cymetric.read(file, SURFACE, sampling.TRAIN, (0, 1), int(wanted.sum()) - 1)
    np.testing.assert_allclose(found.z, sampled[0].z[wanted][:-1], atol=1e-15)
    with refused(file, wanted.sum() + 1, wanted.sum(), "[0, 1]", "points.train"):
        cymetric.read(file, SURFACE, sampling.TRAIN, (0, 1), int(wanted.sum()) + 1)


def refused(file, *facts):
    """One line that names the file."""
    return telling(InputError, f"points.file = '{file}'", *facts)


def moved(x):
    return np.where(np.arange(len(x))[:, None] == 7, x * 1.001 + 1e-3, x)


def scaled(y):
    return y * [1.0, 1.001]


def not_finite(y):
    return np.where(np.arange(len(y))[:, None] == 5, np.nan, y)


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"X_train": moved}, ("train point 7", "1e-08")),
        ({"X_train": lambda x: x.astype(np.float32)}, ("1e-08", "float32")),
        ({"y_train": scaled}, ("|Omega|^2", "1e-06")),
        ({"y_train": not_finite}, ("train point 5",)),
        ({"y_train": lambda y: -y}, ("train point 0",)),
        ({"X_train": lambda x: x[:, :8]}, ("X_train", "float64 (200, 8)", "(N, 10)", "manifold.ambient")),
        ({"X_train": lambda x: x.astype(object)}, ("X_train", "y_train", "`mpiflow points`")),
    ],
)
def test_what_is_wrong_is_named(file, change, facts):
    changed(file, **change)
    with refused(file, *facts):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 100)


def some_weights(y):
    return y * np.stack([np.where(np.arange(len(y)) % 2, 10.0, 0.1), np.ones(len(y))], axis=1)


def twice(x):
    return np.where(np.arange(len(x))[:, None] == 9, x[4], x)


CHANGES = {
    "weights at random": ({"y_train": some_weights}, "1e-06"),
    "one weight": (
        {"y_train": lambda y: np.where([[1, 0]], y * (1 + (np.arange(len(y)) == 3)[:, None]), y)},
        "train point 3",
        "1e-06",
    ),
    "weights without digits": ({"y_train": lambda y: y * [5e-324, 1]}, "train point"),
    "weights beyond all": ({"y_train": lambda y: np.where([[1, 0]], 1e308 * y, y)}, "train point 0"),
    "one point twice": ({"X_train": twice, "y_train": twice}, "train point 4", "train point 9"),
    "a number": ({"X_train": lambda x: np.float64(3)}, "X_train", "float64 ()", "float64 (200, 2)"),
    "a number for weights": ({"y_train": lambda x: np.float64(3)}, "y_train", "float64 ()", "float64 (200, 10)"),
    "no real numbers": ({"X_train": lambda x: x + 0j}, "X_train", "complex128 (200, 10)"),
    "text": ({"X_train": lambda x: x.astype(str)}, "X_train", "<U32 (200, 10)"),
    "another measure": (
        {"measure": lambda m: np.array("uniform")},
        "measure",
        "'uniform'",
        "density_train",
        '"line"',
        '"density"',
    ),
    "a measure that is a number": ({"measure": lambda m: np.arange(3)}, "measure", "'[0 1 2]'", '"density"'),
    "fewer weights": ({"y_train": lambda y: y[:-1]}, "y_train", "float64 (199, 2)", "(N, 2)"),
    "none at all": ({"X_train": lambda x: x[:0], "y_train": lambda y: y[:0]}, 100, 0, "points.train"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_no_points_of_a_measure_are_is_refused(file, case):
    change, *facts = CHANGES[case]
    changed(file, **change)
    with refused(file, *facts):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 100)


def test_train_points_are_no_unseen_ones(file):
    with np.load(file) as before:
        arrays = {name: before[name] for name in before.files}
    # By another phase it is the same point.
    z = (arrays["X_train"][7, :5] + 1j * arrays["X_train"][7, 5:]) * np.exp(0.3j)
    arrays["X_val"][11], arrays["y_val"][11] = np.concatenate([z.real, z.imag]), arrays["y_train"][7]
    np.savez(file, **arrays)
    for stream, *facts in ((sampling.TEST, "val point 11", "point 7"), (sampling.TRAIN, "train point 7", "point 11")):
        with refused(file, *facts):
            cymetric.read(file, SURFACE, stream, None, 100)


def test_a_constant_of_the_weights_does_not_matter(file, sampled):
    changed(file, y_train=lambda y: y * [1e300, 1])
    np.testing.assert_allclose(
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 200).weight, sampled[0].weight, rtol=1e-9
    )


def test_points_of_another_measure_have_its_density(file, sampled):
    with np.load(file) as before:
        arrays = {name: before[name] for name in before.files}
    density = {half: np.random.default_rng(1).uniform(0.1, 10, 200) for half in ("train", "val")}
    for half, values in density.items():
        arrays[f"density_{half}"] = values
        arrays[f"y_{half}"] = arrays[f"y_{half}"] / np.stack([values, np.ones(200)], axis=1)
    np.savez(file, **arrays | {"measure": np.array("density")})
    found = cymetric.read(file, SURFACE, sampling.TRAIN, None, 200)
    np.testing.assert_allclose(found.weight * density["train"], sampled[0].weight, rtol=1e-9)
    np.savez(file, **arrays | {"density_train": density["train"][::-1]})
    with refused(file, "measure", "'line'", "density_train", '"density"'):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 200)
    del arrays["measure"]
    np.savez(file, **arrays | {"density_train": density["train"][::-1]})
    with refused(file, "train point", "1e-06"):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 200)


def test_points_of_one_chart_are_none_of_all(tmp_path):
    one = [sampling.sample(Comm(), SURFACE, 60, 3, stream, (0, 1))[1] for stream in (sampling.TRAIN, sampling.TEST)]
    cymetric.write(tmp_path / "one.npz", SURFACE, *one)
    assert len(cymetric.read(tmp_path / "one.npz", SURFACE, sampling.TRAIN, (0, 1), 60)) == 60
    with refused(tmp_path / "one.npz", "[0, 1]", 'points.chart = "all"'):
        cymetric.read(tmp_path / "one.npz", SURFACE, sampling.TRAIN, None, 60)


def test_another_manifold_is_noticed(file):
    with refused(file, "train point", "1e-08"):
        cymetric.read(file, dwork(4, 0.5), sampling.TRAIN, None, 100)
