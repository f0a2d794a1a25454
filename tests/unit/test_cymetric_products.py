"""Datasets of cymetric's on products of projective spaces, whose points may be of one type of sections."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import changed
from facts import telling
from surfaces import configuration

from mpiflow import config, cymetric, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError

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
    with telling(InputError, f"points.file = '{path}'", "train point 7", "1e-06"):
        cymetric.read(path, surface, sampling.TRAIN, None, 60)
