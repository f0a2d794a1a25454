"""Pairs of points computed once: against the dense kernel, in any shares, at any scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from points import ALLOWED, TILED, awkward, fermat

from mpiflow import engine
from mpiflow.engine.near_pairs import correction
from mpiflow.engine.symmetric import dealt
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK


def symmetric(kernel, x, v, precision="float64", parts=1):
    """u = K(x, x) v from the shares of so many ranks, added in any order."""
    built = [engine.Symmetric(kernel, x, precision, part, parts) for part in reversed(range(parts))]
    found = [share.shares(v) for share in built]
    u = sum(integers for integers, _ in found) * found[0][1] * built[0].factors[:, None]
    near = correction(kernel, x, x, precision)
    return u if near is None else u + near @ v


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [*TILED, Gaussian(0.1), Gaussian(0.01)], ids=str)
def test_pairs_computed_once_agree_with_the_dense_kernel(kernel, precision):
    x = np.concatenate(awkward(320))
    v = np.random.default_rng(0).normal(size=(len(x), 9))
    reference = kernel.tile(x, x) @ v
    u = symmetric(kernel, x, v, precision)
    assert np.abs(u - reference).max() < ALLOWED[precision] * np.abs(reference).max()


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 1100), st.sampled_from([1, 3, 16, 17]), st.sampled_from(["float32", "float64"]))
def test_pairs_computed_once_take_any_number_of_points_and_columns(count, columns, precision):
    x, v = fermat(count), np.random.default_rng(0).normal(size=(count, columns))
    for kernel in (Gaussian(0.4), ReluNTK(1, 1.0, 0.0)):
        reference = kernel.tile(x, x) @ v
        assert np.abs(symmetric(kernel, x, v, precision) - reference).max() < ALLOWED[precision] * abs(reference).max()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_shares_of_pairs_add_up_to_the_same_bits(precision):
    x, v = fermat(1700), np.random.default_rng(0).normal(size=(1700, 9))
    whole = symmetric(ReluNTK(2, 1.3, 0.2), x, v, precision)
    for parts in (2, 3, 7, 20):
        np.testing.assert_array_equal(symmetric(ReluNTK(2, 1.3, 0.2), x, v, precision, parts), whole)


@pytest.mark.parametrize("scale", [2.0**300, 2.0**-300, 2.0**-900, 0.0])
def test_sums_in_fixed_point_take_any_scale_of_v(scale):
    x, v = fermat(600), np.random.default_rng(0).normal(size=(600, 2))
    for precision in ("float32", "float64"):
        u = symmetric(ReluNTK(1, 1.0, 0.0), x, v, precision)
        np.testing.assert_array_equal(symmetric(ReluNTK(1, 1.0, 0.0), x, v * scale, precision), u * scale)


def test_sums_in_fixed_point_do_not_overflow_where_all_points_are_one():
    # The number of points is just below a power of two, where the sums are the largest for their bits.
    count = 1023
    x = np.repeat(fermat(1), count, axis=0)
    for kernel in (Gaussian(0.3), ReluNTK(3, 1.0, 0.2)):
        u = symmetric(kernel, x, np.ones((count, 1)))
        np.testing.assert_allclose(u, count * kernel.diagonal(x)[:, None], rtol=1e-13)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_sums_in_fixed_point_pass_on_what_is_not_finite(wrong):
    x, v = fermat(30), np.ones((30, 2))
    v[7, 1] = wrong
    assert not np.isfinite(symmetric(Gaussian(0.3), x, v)).any()


def test_every_pair_of_blocks_is_dealt_once():
    for blocks, parts in ((1, 3), (7, 4), (20, 6)):
        pairs = np.concatenate([dealt(blocks, part, parts) for part in range(parts)])
        assert sorted(map(tuple, pairs)) == [(i, j) for i in range(blocks) for j in range(i, blocks)]
        assert np.ptp([len(dealt(blocks, part, parts)) for part in range(parts)]) <= 1
