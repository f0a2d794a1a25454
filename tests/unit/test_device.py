"""The GPU's engines without a GPU: a foreign array library's second device, and the CUDA text compiled as C."""

import ctypes
import shutil
import subprocess

import foreign
import numpy as np
import pytest
from facts import telling

from mpiflow import backend, hermitian
from mpiflow.engine import cuda, cuda_loops, device
from mpiflow.engine.device import DeviceResident, DeviceStreamed
from mpiflow.engine.device_symmetric import DeviceSymmetric
from mpiflow.engine.near_pairs import correction
from mpiflow.errors import InputError
from mpiflow.kernels.erf import ErfNTK
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.gelu import GeluNTK
from mpiflow.kernels.relu import ReluNTK
from mpiflow.modes import choice
from mpiflow.pointwise import Entries

KERNELS = [Gaussian(0.3), Gaussian(0.05), ReluNTK(1, 1.0, 0.0), ReluNTK(2, 1.3, 0.4)]
#: Whose loops run here thread by thread, which takes seconds each.
LOOPS = [Gaussian(0.3), ReluNTK(2, 1.3, 0.4)]
FORMULAS = [*KERNELS, ErfNTK(depth=2), GeluNTK(depth=2)]
ALLOWED = {"float32": 8e-6, "float64": 1e-13}


def points(count, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, 5)) + 1j * rng.normal(size=(count, 5))
    return z / z[np.arange(count), np.abs(z).argmax(1)][:, None]


@pytest.fixture
def far_device():
    return foreign.device()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", LOOPS, ids=str)
def test_both_engines_compute_the_kernel_with_the_same_bits(kernel, precision, far_device, monkeypatch):
    # Three spans, the last one short, and a stretch that is not whole.
    monkeypatch.setattr(cuda_loops, "SPAN", 500), monkeypatch.setattr(device, "SPAN", 500)
    x, y = points(200), points(1100, seed=1)
    y[:30] = x[:30]
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    reference = kernel.tile(x, y) @ v
    kept, streamed = (kind(kernel, x, y, precision, far_device) for kind in (DeviceResident, DeviceStreamed))
    u = streamed.apply(v)
    assert np.abs(u - reference).max() < ALLOWED[precision] * np.abs(reference).max()
    np.testing.assert_array_equal(kept.apply(v), u)
    with pytest.raises(RuntimeError):
        np.asarray(kept.tiles)
    assert kept.bytes - streamed.bytes > 200 * len(y) * np.dtype(precision).itemsize / 2


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", LOOPS, ids=str)
def test_pairs_computed_once_give_the_kernel_whoever_computes_them(kernel, precision, far_device):
    _pairs(kernel, precision, far_device)


def _pairs(kernel, precision, there):
    z = points(600)
    z[300:310] = z[:10]
    v = np.random.default_rng(0).normal(size=(600, 9))

    def summed(parts):
        built = [DeviceSymmetric(kernel, z, precision, there, part, parts) for part in range(parts)]
        shares = [one.shares(there.put(v)) for one in built]
        u = sum(there.fetch(share) for share, _ in shares) * (shares[0][1] * built[0].factors)[:, None]
        near = correction(kernel, z, z, precision)
        return u if near is None else near.added(u, v)

    whole = summed(1)
    reference = kernel.tile(z, z) @ v
    assert np.abs(whole - reference).max() < ALLOWED[precision] * np.abs(reference).max()
    np.testing.assert_array_equal(summed(3), whole)


def test_device_bits_do_not_depend_on_the_other_rows(far_device):
    x, y = points(300), points(500, seed=1)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    whole = DeviceResident(ReluNTK(1, 1.0, 0.0), x, y, "float64", far_device).apply(v)
    part = DeviceResident(ReluNTK(1, 1.0, 0.0), x[128:], y, "float64", far_device).apply(v)
    np.testing.assert_array_equal(part, whole[128:])


def test_more_columns_than_a_pass_has(far_device):
    x, y = points(20), points(50, seed=1)
    v = np.random.default_rng(0).normal(size=(len(y), 20))
    u = DeviceStreamed(Gaussian(0.4), x, y, "float64", far_device).apply(v)
    np.testing.assert_allclose(u, Gaussian(0.4).tile(x, y) @ v, rtol=0, atol=1e-12)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", FORMULAS, ids=str)
def test_the_cuda_formula_is_the_kernel(kernel, precision, tmp_path):
    shape = kernel.profile(4, precision)
    source = tmp_path / "value.c"
    # Exported through a pointer, since C and ctypes pass a float differently from a double.
    source.write_text(
        f"{cuda.value(shape)}void one(const real *x, const real *y, const Parameters *p, real *k)"
        "{ *k = value(x, y, *p); }\n"
    )
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", source, "-o", tmp_path / "value.so", "-lm"], check=True)
    one = ctypes.CDLL(str(tmp_path / "value.so")).one
    x, y = points(20), points(20, seed=1)
    (rx, left), (ry, right) = shape.records(kernel, x), shape.records(kernel, y)
    parameters = np.array(shape.parameters(kernel, 0.0), precision)
    k = np.empty(20, precision)
    for i in range(20):
        arrays = (rx[i].astype(precision), ry[i].astype(precision), parameters, k[i:])
        one(*(ctypes.c_void_p(a.ctypes.data) for a in arrays))
    np.testing.assert_allclose(k * left * right, kernel.pairs(x, y), atol=ALLOWED[precision])


def test_a_gpu_that_is_not_there_is_refused_with_the_reason():
    if backend.probe()[0] is not None:
        pytest.skip("a GPU works here")
    with telling(InputError, 'run.backend = "gpu"', '"cpu"', '"auto"'):
        choice.build(ReluNTK(1, 1.0, 0.0), points(3), points(3), backend="gpu")
    assert backend.get("auto") is np
    with telling(InputError, 'run.backend = "tpu"', "cpu, gpu, auto"):
        backend.get("tpu")


@pytest.mark.gpu
@pytest.mark.parametrize("mode", ["streamed", "resident"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", FORMULAS, ids=str)
def test_gpu_agrees_with_the_dense_kernel(kernel, precision, mode):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    x, y = points(200), points(1100, seed=1)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    reference = kernel.tile(x, y) @ v
    u = choice.build(kernel, x, y, mode=mode, precision=precision, backend="gpu").apply(v)
    assert np.abs(u - reference).max() < ALLOWED[precision] * np.abs(reference).max()


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_pairs_on_a_gpu_give_the_kernel_whoever_computes_them(kernel, precision):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    _pairs(kernel, precision, backend.device("gpu"))


@pytest.mark.gpu
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_a_gpu_computes_the_closed_forms(d):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    there, rng = backend.device("gpu"), np.random.default_rng(d)
    a = rng.normal(size=(50, d, d)) + 1j * rng.normal(size=(50, d, d))
    g = a @ a.conj().transpose(0, 2, 1) + 0.1 * np.eye(d)
    here, far = Entries.of(g), Entries.packed(there.put(hermitian.packed(g)), there.xp)
    for name in ("determinant", "least"):
        np.testing.assert_allclose(there.fetch(getattr(far, name)()), getattr(here, name)(), rtol=1e-10)
    np.testing.assert_allclose(there.fetch(far.cofactors().reals()), here.cofactors().reals(), rtol=1e-10, atol=1e-10)
