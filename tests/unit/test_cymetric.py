"""cymetric's dataset.npz, written and read: the same points, and nothing believed that is not checked."""

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from surfaces import configuration, dwork, fermat

from mpiflow import config, cymetric, sampling
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


def some_weights(y):
    return y * np.stack([np.where(np.arange(len(y)) % 2, 10.0, 0.1), np.ones(len(y))], axis=1)


def twice(x):
    return np.where(np.arange(len(x))[:, None] == 9, x[4], x)


CHANGES = {
    "weights at random": ({"y_train": some_weights}, "has a weight that its place on X does not give it"),
    "one weight": (
        {"y_train": lambda y: np.where([[1, 0]], y * (1 + (np.arange(len(y)) == 3)[:, None]), y)},
        "point 3 has a w",
    ),
    "weights without digits": ({"y_train": lambda y: y * [5e-324, 1]}, "not positive|does not give"),
    "weights beyond all": ({"y_train": lambda y: np.where([[1, 0]], 1e308 * y, y)}, "not finite|does not give"),
    "one point twice": ({"X_train": twice, "y_train": twice}, "train point 4 and train point 9 are the same"),
    "a number": ({"X_train": lambda x: np.float64(3)}, r"X_train is float64 \(\)"),
    "a number for weights": ({"y_train": lambda x: np.float64(3)}, r"float64 \(\)"),
    "no real numbers": ({"X_train": lambda x: x + 0j}, "complex128"),
    "text": ({"X_train": lambda x: x.astype(str)}, "where real"),
    "another measure": (
        {"measure": lambda m: np.array("uniform")},
        "measure is 'uniform', and density_train is not there",
    ),
    "a measure that is a number": ({"measure": lambda m: np.arange(3)}, "measure is"),
    "fewer weights": ({"y_train": lambda y: y[:-1]}, "are needed"),
    "none at all": ({"X_train": lambda x: x[:0], "y_train": lambda y: y[:0]}, "0 are there"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_no_points_of_a_measure_are_is_refused(file, case):
    change, text = CHANGES[case]
    changed(file, **change)
    with pytest.raises(InputError, match=text) as told:
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 100)
    assert len(str(told.value).splitlines()) == 1


def test_train_points_are_no_unseen_ones(file):
    with np.load(file) as before:
        arrays = {name: before[name] for name in before.files}
    # By another phase it is the same point.
    z = (arrays["X_train"][7, :5] + 1j * arrays["X_train"][7, 5:]) * np.exp(0.3j)
    arrays["X_val"][11], arrays["y_val"][11] = np.concatenate([z.real, z.imag]), arrays["y_train"][7]
    np.savez(file, **arrays)
    for stream, words in ((sampling.TEST, "val point 11 and point 7"), (sampling.TRAIN, "train point 7 and point 11")):
        with pytest.raises(InputError, match=f"{words} of the other half are the same"):
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
    with pytest.raises(InputError, match="measure is 'line', and density_train is there"):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 200)
    del arrays["measure"]
    np.savez(file, **arrays | {"density_train": density["train"][::-1]})
    with pytest.raises(InputError, match="does not give it"):
        cymetric.read(file, SURFACE, sampling.TRAIN, None, 200)


def test_points_of_one_chart_are_none_of_all(tmp_path):
    one = [sampling.sample(Comm(), SURFACE, 60, 3, stream, (0, 1))[1] for stream in (sampling.TRAIN, sampling.TEST)]
    cymetric.write(tmp_path / "one.npz", SURFACE, *one)
    assert len(cymetric.read(tmp_path / "one.npz", SURFACE, sampling.TRAIN, (0, 1), 60)) == 60
    with pytest.raises(InputError, match=r"all train points lie in chart \[0, 1\]"):
        cymetric.read(tmp_path / "one.npz", SURFACE, sampling.TRAIN, None, 60)


def bomb(path):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("X_train.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10)})
        for _ in range(100):
            file.write(bytes(1 << 20))


def lying(path):
    with zipfile.ZipFile(path, "w") as archive, archive.open("X_train.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**14, 10)})


def npy(path):
    with path.open("wb") as file:
        np.save(file, np.ones((3, 10)))


def headless(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X_train.npy", b"\x93NUMPY\x01\x00\x40\x00{'descr': (((((((" + b" " * 60)


FILES = {
    "X_train.npy would unpack": bomb,
    "more memory than there is|truncated": lying,
    "not a zip archive": npy,
    "EOF|header": headless,
    "not a regular file": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("words", FILES)
def test_a_file_that_would_do_harm_is_refused_in_one_line(tmp_path, words):
    FILES[words](tmp_path / "dataset.npz")
    with pytest.raises(InputError, match=f"not a dataset.npz with plain arrays .*({words})") as told:
        cymetric.read(tmp_path / "dataset.npz", SURFACE, sampling.TRAIN, None, 1)
    assert len(str(told.value).splitlines()) == 1 and "allow_pickle" not in str(told.value)


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


#: Ambient, degrees, t, and c: of its hyperplanes in each factor, where cymetric cuts by one type of sections alone.
PRODUCTS = {
    "bicubic": ((2, 2), ((3, 3),), (1.0, 2.0), (1, 2)),
    "P5[2,4]": ((5,), ((2,), (4,)), (1.0,), (3,)),
    "determinantal": ((4, 1), ((4, 1), (1, 1)), (1.0, 0.5), (2, 1)),
}


def written_there(path, surface, c, count=60):
    """A dataset as cymetric's CICY generator writes it, by formulas of its own: one type of sections, a column of dQ for one
    equation after the other, K = log|z|^2 / pi."""
    columns = {}
    for half, seed in (("train", 1), ("val", 2)):
        z = sampling.sample(Comm(), surface, count, seed, sampling.TRAIN)[1].z
        slopes, free = surface.slopes(z), np.abs(z - 1) > 1e-5
        weight, omega2, pullbacks = np.empty(count), np.empty(count), np.zeros((count, 3, z.shape[1]), complex)
        for n in range(count):
            left, out = free[n].copy(), []
            for row in np.abs(slopes[n]):
                out.append(int(np.argmax(row * left)))
                left[out[-1]] = False
            kept = np.flatnonzero(left)
            pullbacks[n, range(3), kept] = 1
            pullbacks[n][:, out] = -np.linalg.solve(slopes[n][:, out], slopes[n][:, kept]).T
            omega2[n] = 1 / np.abs(np.linalg.det(slopes[n][:, out])) ** 2
            factors = []
            for part in surface.parts:
                x, j = z[n, part], pullbacks[n][:, part]
                s = np.vdot(x, x).real
                factors.append((j @ j.conj().T / s - np.outer(j @ x.conj(), j.conj() @ x) / s**2) / np.pi)
            weight[n] = omega2[n] / mixed([g for g, times in zip(factors, c, strict=True) for _ in range(times)])
        columns[f"X_{half}"] = np.concatenate([z.real, z.imag], axis=1)
        columns[f"y_{half}"] = np.stack([weight, omega2], axis=1)
    np.savez_compressed(path, **columns, val_pullbacks=pullbacks)


def mixed(three):
    """sum over permutations s, t of sign(s) sign(t) prod_i g_i[s_i, t_i], of three matrices: by polarisation."""
    subsets = [[g for g, taken in zip(three, f"{k:03b}", strict=True) if taken == "1"] for k in range(1, 8)]
    return sum((-1) ** (3 - len(some)) * np.linalg.det(sum(some)).real for some in subsets)


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_dataset_of_the_cicy_generator_is_read(name, tmp_path):
    ambient, degrees, t, c = PRODUCTS[name]
    surface, path = configuration(ambient, degrees, t, seed=3), tmp_path / "dataset.npz"
    written_there(path, surface, c)
    points = cymetric.read(path, surface, sampling.TEST, None, 60)
    with np.load(path) as arrays:
        weight, omega2, pullbacks = *arrays["y_val"].T, arrays["val_pullbacks"]
    ours, there = points.weight * surface.volume * np.pi**3, surface.abroad(points.z)[0]
    np.testing.assert_allclose(ours / ours.mean(), weight / weight.mean(), rtol=1e-9)
    np.testing.assert_allclose(surface.omega2(points.z, there), omega2, rtol=1e-9)
    np.testing.assert_allclose(surface.jacobian(points.z, there).swapaxes(1, 2), pullbacks, atol=1e-9)
    np.testing.assert_allclose(points.omega2, surface.omega2(points.z, points.chart), rtol=1e-9)
    assert (points.chart == surface.chart_of(points.z)).all()
    # What is written is read there as it was.
    cymetric.write(path, surface, points, points.map(lambda rows: rows[::-1]))
    with np.load(path) as arrays:
        np.testing.assert_allclose(arrays["y_val"][::-1, 1], omega2, rtol=1e-9)
        np.testing.assert_allclose(arrays["val_pullbacks"][::-1], pullbacks, atol=1e-9)


def test_a_basis_becomes_a_table_of_a_run_file_as_the_page_says(tmp_path):
    """The page's own lines, on a pickle with the entries that cymetric's prepare_basis writes of an equation."""
    page = (Path(cymetric.__file__).parents[1] / "mpiflow/docs/cymetric.md").read_text()
    surface = configuration((1, 2), ((2, 3),), (1.0, 2.5), seed=4)
    (equation,) = surface.equations
    basis = {"NHYPER": 1, "AMBIENT": np.array([1, 2]), "KMODULI": np.array([1.0, 2.5])}
    basis |= {"QB0": equation.exponents, "QF0": equation.coefficients}
    (tmp_path / "basis.pickle").write_bytes(pickle.dumps(basis))
    code = page.partition("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = config.loads(
        f'{done.stdout}[points]\nchart = "all"\n[network]\nkind = "potential"\n[flow]\ndt = 1e-3'
    ).surface()
    z = sampling.sample(Comm(), surface, 5, 1, sampling.TRAIN)[1].z
    assert found.off(z).max() < 1e-12 and found.volume == surface.volume


def test_weights_of_no_type_are_refused(tmp_path):
    ambient, degrees, t, _ = PRODUCTS["bicubic"]
    surface, path = configuration(ambient, degrees, t, seed=3), tmp_path / "dataset.npz"
    written_there(path, surface, (1, 2))
    changed(path, y_train=lambda y: y * np.where(np.arange(len(y)) == 7, 1.01, 1)[:, None] ** [1, 0])
    with pytest.raises(InputError, match="train point 7 has a weight that its place"):
        cymetric.read(path, surface, sampling.TRAIN, None, 60)
