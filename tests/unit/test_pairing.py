"""Small matrices at each point against einsum: on a processor, on a device that is none, and on a GPU."""

from __future__ import annotations

import foreign
import numpy as np
import nvrtc
import pytest

from mpiflow import backend, hermitian
from mpiflow.backend import HOST
from mpiflow.kernels import cuda_pairing, pairing

TOLERANCE = {"complex64": 3e-6, "complex128": 1e-14}


def _held(rows: int, apart: int, dtype: str, device) -> None:
    """23 columns and 11 points fill no block."""
    rng = np.random.default_rng(rows)
    left, values = (
        (rng.normal(size=(11, n, 23)) + 1j * rng.normal(size=(11, n, 23))).astype(dtype) for n in (rows, apart)
    )
    reals = rng.normal(size=(11, rows**2)).astype(left.real.dtype)
    half = np.einsum("xas,xbs->xab", left, values[:, :rows].conj())
    found = device.fetch(pairing.paired(device.put(left), device.put(values), device))
    expected = hermitian.to_reals(half + half.conj().transpose(0, 2, 1))
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * np.abs(expected).max())
    found = device.fetch(pairing.weighted(device.put(values), device.put(reals), device))
    expected = np.einsum("xab,xbs->xas", hermitian.from_reals(reals), values[:, :rows]).conj()
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * np.abs(expected).max())


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("rows, apart", [(1, 1), (2, 2), (3, 4), (4, 4), (5, 6)])
def test_a_processor(rows, apart, dtype):
    _held(rows, apart, dtype, HOST)


@pytest.mark.parametrize("rows, apart, dtype", [(2, 2, "complex64"), (4, 5, "complex128")])
def test_the_text_of_a_device(rows, apart, dtype):
    _held(rows, apart, dtype, foreign.device())


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("rows, apart", [(1, 1), (2, 2), (3, 4), (4, 4), (5, 6)])
def test_a_gpu(rows, apart, dtype):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    _held(rows, apart, dtype, backend.device("gpu"))


@pytest.mark.skipif(nvrtc.LIBRARY is None, reason="no nvidia-cuda-nvrtc-cu12 is installed")
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_texts_compile_and_stay_in_registers(precision):
    for rows in (4, 6):
        for text in (cuda_pairing.paired_text, cuda_pairing.weighted_text):
            used = nvrtc.used(nvrtc.compiled(text(rows, precision), "sm_90")[1])
            assert used["registers"] > 0 and used["spilled"] == used["stack"] == 0 and used["shared"] <= 48 << 10


@pytest.mark.parametrize("rows", [2, 3, 4, 5])
def test_a_block_of_a_matrix_in_reals(rows):
    rng = np.random.default_rng(0)
    g = rng.normal(size=(3, rows, rows)) + 1j * rng.normal(size=(3, rows, rows))
    whole = hermitian.to_reals(g + g.conj().transpose(0, 2, 1))
    inner = hermitian.to_reals(hermitian.from_reals(whole)[:, 1:, 1:])
    for here, there in hermitian.block(rows):
        np.testing.assert_allclose(whole[:, there], inner[:, here], rtol=1e-15)
