"""cymetric's dataset.npz, written and read: the same points, and nothing believed that is not checked."""

import numpy as np
import pytest
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


def changed(path, **columns):
    with np.load(path) as before:
        arrays = {name: before[name] for name in before.files}
    np.savez(path, **{name: columns.get(name, lambda x: x)(array) for name, array in arrays.items()})


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
    with pytest.raises(InputError, match="are asked for"):
        cymetric.read(file, SURFACE, sampling.TRAIN, (0, 1), int(wanted.sum()) + 1)


def moved(x):
    return np.where(np.arange(len(x))[:, None] == 7, x * 1.001 + 1e-3, x)


def scaled(y):
    return y * [1.0, 1.001]


def not_finite(y):
    return np.where(np.arange(len(y))[:, None] == 5, np.nan, y)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"X_train": moved}, "train point 7 lies off X"),
        ({"X_train": lambda x: x.astype(np.float32)}, "rounded to float32"),
        ({"y_train": scaled}, r"has another \|Omega\|\^2"),
        ({"y_train": not_finite}, "train point 5 is zero, not finite"),
        ({"y_train": lambda y: -y}, "train point 0 is zero, not finite"),
        ({"X_train": lambda x: x[:, :8]}, "is manifold.ambient that of the file"),
        ({"X_train": lambda x: x.astype(object)}, "not a dataset.npz with plain arrays"),
    ],
)
def test_what_is_wrong_is_named(file, change, text):
    changed(file, **change)
    with pytest.raises(InputError, match=text):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 100)


def test_another_manifold_is_noticed(file):
    with pytest.raises(InputError, match="another manifold"):
        cymetric.read(file, dwork(4, 0.5), sampling.TRAIN, None, 100)


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04torn"])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "dataset.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="no such file|not a dataset.npz"):
        cymetric.read(path, SURFACE, sampling.TRAIN, None, 1)


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    path = tmp_path / "dataset.npz"
    np.savez(path, X_train=np.array([Trap()], object), y_train=np.ones((1, 2)))
    with pytest.raises(InputError, match="plain arrays"):
        cymetric.read(path, SURFACE, sampling.TRAIN, None, 1)
