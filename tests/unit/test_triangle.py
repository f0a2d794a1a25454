"""Products with one triangle of a Hermitian matrix give what those with all of it give."""

from __future__ import annotations

import numpy as np
import pytest

from mpiflow.kernels import triangle


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 15, 70])
def test_both_halves_of_a_matrix_are_the_matrix(n):
    h = _hermitian(n)
    half = triangle.lower(h)
    assert not np.triu(half, 1).any()
    np.testing.assert_array_equal(half + half.conj().T, h)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 15, 70])
def test_a_triangle_times_anything(n):
    values, half = _random(20, n), triangle.lower(_hermitian(n))
    np.testing.assert_allclose(triangle.times(values, half), values @ half, rtol=0, atol=1e-13 * n)


@pytest.mark.parametrize("rows, n", [(1, 1), (20, 5), (1024, 3), (2500, 70)])
def test_three_real_products_are_a_complex_one(rows, n):
    values, half = _random(rows, n), triangle.lower(_hermitian(n))
    found = triangle.times(values.astype(np.complex64), half.astype(np.complex64))
    assert found.dtype == np.complex64
    for part in (np.real, np.imag):
        assert np.abs(part(found - values @ half)).max() < 4e-7 * np.sqrt(n) * np.abs(values).max() * np.abs(half).max()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 15, 70])
def test_outer_products_of_a_hermitian_sum(n):
    values, weight = _random(20, n), np.random.default_rng(1).normal(size=(20, 1))
    found = triangle.gram(weight * values, values.conj())
    np.testing.assert_allclose(np.triu(found), np.triu((weight * values).T @ values.conj()), rtol=0, atol=1e-12)


def _random(rows: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    return rng.normal(size=(rows, n)) + 1j * rng.normal(size=(rows, n))


def _hermitian(n: int) -> np.ndarray:
    h = _random(n, n)
    return h + h.conj().T
