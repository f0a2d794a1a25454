"""Every engine against the dense float64 kernel, and its bits against the cutting of the targets."""

import numpy as np
import pytest
from facts import telling
from hypothesis import given, settings
from hypothesis import strategies as st
from points import ALLOWED, TILED, awkward, fermat

from mpiflow import engine
from mpiflow.engine.cells import Cells
from mpiflow.engine.neighbours import LEFT_OUT
from mpiflow.errors import InputError
from mpiflow.geometry.projective import distance
from mpiflow.kernels.delta import Delta
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.relu import ReluNTK
from mpiflow.modes import MODES, choice

NARROW = [Gaussian(0.1), Gaussian(0.01), Gaussian(1e-4), Gaussian(1e-7)]


def error(kernel, x, y, v, **options):
    reference = kernel.tile(x, y) @ v
    return np.abs(choice.build(kernel, x, y, **options).apply(v) - reference).max() / np.abs(reference).max()


@pytest.mark.parametrize("mode", ["streamed", "resident"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", TILED + NARROW, ids=str)
def test_tiles_agree_with_the_dense_kernel(kernel, precision, mode):
    x, y = awkward(200)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    assert error(kernel, x, y, v, mode=mode, precision=precision) < ALLOWED[precision]


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("columns", [1, 4, 16, 25])
def test_tiles_agree_in_every_dimension_and_for_any_columns(n, columns):
    x, y = awkward(60, n)
    v = np.random.default_rng(0).normal(size=(len(y), columns))
    for kernel in (Gaussian(0.3), ReluNTK(2, 1.2, 0.3)):
        assert error(kernel, x, y, v, mode="streamed") < ALLOWED["float64"]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["streamed", "resident", "neighbours", "nearest", "formula"])
def test_an_engine_holds_what_it_says_beforehand(mode, precision):
    """The cut-off keeps what its sample of pairs says, to a few percent; the others are off by points that are filled up."""
    z = fermat(1500)
    kernel = {"neighbours": Gaussian(0.1), "nearest": Delta(), "formula": Plain()}.get(mode, ReluNTK(2, 1.3, 0.4))
    mode = {"nearest": "neighbours", "formula": "resident"}.get(mode, mode)
    kept = engine.kept_fraction(kernel, z, precision) if kernel.sparse else 1.0
    built = choice.build(kernel, z[:700], z, mode=mode, precision=precision)
    assert MODES.made(mode).holds(kernel, 4, (700, 1500), precision, kept) == pytest.approx(built.bytes, rel=0.1)


class Plain(Kernel):
    """A kernel that no register knows."""

    def tile(self, x, y, xp=np):
        return xp.abs(x @ y.conj().T)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["streamed", "resident", "neighbours"]), st.data())
def test_any_mixture_of_equal_and_antipodal_points_agrees(n_targets, n_sources, mode, data):
    few = np.concatenate([fermat(3), np.eye(5)])
    phase = [1, -1, 1j]

    def drawn(count):
        which = data.draw(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), min_size=count, max_size=count))
        return np.array([few[i] * phase[p] for i, p in which])

    x, y = drawn(n_targets), drawn(n_sources)
    v = np.random.default_rng(0).normal(size=(n_sources, 2))
    for kernel in (
        [Gaussian(0.1), Delta()]
        if mode == "neighbours"
        else [Gaussian(0.3), ReluNTK(1, 1.0, 0.0), ReluNTK(2, 1.3, 0.4)]
    ):
        u = choice.build(kernel, x, y, mode=mode).apply(v)
        np.testing.assert_allclose(u, kernel.tile(x, y) @ v, atol=1e-12 * n_sources)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", NARROW, ids=str)
def test_cut_off_stays_within_its_bound(kernel, precision):
    x, y = awkward(200)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    left_out = choice.build(kernel, x, y, mode="neighbours", precision=precision).apply(v) - kernel.tile(x, y) @ v
    bound = LEFT_OUT[precision] * np.abs(v).sum(0)
    assert np.all(np.abs(left_out) <= bound + (1e-6 if precision == "float32" else 1e-12))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(1, 1200), st.sampled_from(["float32", "float64"]))
def test_sizes_need_not_divide_a_tile(n_targets, n_sources, precision):
    x, y = fermat(n_targets), fermat(n_sources, seed=1)
    v = np.random.default_rng(0).normal(size=(n_sources, 3))
    for kernel in (Gaussian(0.4), ReluNTK(1, 1.0, 0.0), Delta()):
        assert error(kernel, x, y, v, precision=precision) < ALLOWED[precision]


@pytest.mark.parametrize("mode", ["streamed", "resident", "neighbours"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_bits_of_a_target_do_not_depend_on_the_other_targets(precision, mode):
    x, y = fermat(400), fermat(1500, seed=1)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    for kernel in (
        [Gaussian(0.05), Delta()] if mode == "neighbours" else [Gaussian(0.3), Gaussian(0.05), ReluNTK(2, 1.0, 0.0)]
    ):
        whole = choice.build(kernel, x, y, mode=mode, precision=precision).apply(v)
        for cut in (slice(0, 128), slice(128, 400), slice(256, 400), slice(37, 41)):
            part = choice.build(kernel, x[cut], y, mode=mode, precision=precision).apply(v)
            np.testing.assert_array_equal(part, whole[cut])


def test_bits_do_not_depend_on_the_layout_in_memory():
    x, y = fermat(100), fermat(300, seed=1)
    v = np.random.default_rng(0).normal(size=(300, 9))
    whole = choice.build(ReluNTK(1, 1.0, 0.0), x, y, mode="streamed").apply(v)
    shifted = np.empty(x.size + 1, complex)[1:].reshape(x.shape)
    shifted[:] = x
    again = choice.build(ReluNTK(1, 1.0, 0.0), shifted, np.asfortranarray(y), mode="streamed").apply(
        np.asfortranarray(v)
    )
    np.testing.assert_array_equal(again, whole)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_resident_and_streamed_have_the_same_bits(precision):
    x, y = awkward(150)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    for kernel in (Gaussian(0.3), ReluNTK(2, 1.2, 0.1)):
        u = [choice.build(kernel, x, y, mode=mode, precision=precision).apply(v) for mode in ("streamed", "resident")]
        np.testing.assert_array_equal(*u)


@pytest.mark.parametrize("mode", ["streamed", "resident", "neighbours"])
def test_a_rank_without_targets_gets_an_empty_update(mode):
    y = fermat(20)
    for kernel in [Gaussian(0.05), Delta()] if mode == "neighbours" else [Gaussian(0.05), ReluNTK(1, 1.0, 0.0)]:
        assert choice.build(kernel, y[:0], y, mode=mode).apply(np.ones((20, 9))).shape == (0, 9)


def test_float32_tiles_take_any_scale_of_v():
    x, y = fermat(50), fermat(60, seed=1)
    v = np.random.default_rng(0).normal(size=(60, 2))
    u = choice.build(ReluNTK(1, 1.0, 0.0), x, y, mode="streamed", precision="float32")
    for scale in (2.0**300, 2.0**-300):
        np.testing.assert_array_equal(u.apply(v * scale), u.apply(v) * scale)
    assert not u.apply(v * 0).any()


def test_nearest_is_exact_among_near_duplicates_and_takes_the_lowest_index():
    x = fermat(150)
    direction = fermat(150, seed=3)
    y = np.concatenate([x + 2e-9 * direction, x + 1e-9 * direction, x + 1e-9 * direction, fermat(500, seed=1)])
    index, d = engine.nearest(x, y)
    np.testing.assert_array_equal(index, np.arange(150) + 150)
    np.testing.assert_array_equal(d, distance(x, y[index]))


def test_nearest_agrees_with_all_distances(monkeypatch):
    x, y = fermat(300), fermat(700, seed=1)
    every = distance(x[:, None], y[None])
    for _ in ("sweep", "cells"):
        index, d = engine.nearest(x, y)
        np.testing.assert_array_equal(index, every.argmin(1))
        np.testing.assert_allclose(d, every.min(1), rtol=1e-14)
        monkeypatch.setattr("mpiflow.engine.nearest_source._SOURCES", 0)
        monkeypatch.setattr("mpiflow.engine.nearest_source._TARGETS", 0)


@pytest.mark.parametrize("size", [None, 3, 40])
def test_cells_find_the_same_nearest_as_a_sweep(size):
    x, y = awkward(300)
    y = np.concatenate([y, y[:50], x[:20] * 1j])
    found = {i: set() for i in range(len(x))}
    for i, j, _ in Cells(y, size).contenders(x):
        for target, source in zip(i, j, strict=True):
            found[target].add(source)
    d = distance(x[:, None], y[None])
    for i in range(len(x)):
        assert set(np.flatnonzero(d[i] <= d[i].min() + 1e-9)) <= found[i]
        assert len(found[i]) < len(y)


def test_nearest_among_copies_of_one_point_is_the_first():
    x = np.repeat(fermat(1), 200, axis=0)
    np.testing.assert_array_equal(engine.nearest(x, x)[0], 0)


def test_auto_follows_kernel_sizes_and_budget():
    assert choice.choose(Delta(), 10, 10).name == "neighbours"
    assert choice.choose(ReluNTK(1, 1.0, 0.0), 1000, 1000).name == "resident"
    assert choice.choose(ReluNTK(1, 1.0, 0.0), 1000, 1000, budget=1000).name == "streamed"
    assert choice.choose(Gaussian(0.3), 10**5, 10**5).name == "streamed"
    assert choice.choose(Gaussian(0.3), 10**5, 10**5, square=True).name == "symmetric"
    assert choice.choose(Gaussian(0.3), 1000, 1000, square=True).name == "resident"
    assert choice.choose(Gaussian(0.01), 10**5, 10**5, kept=lambda: 0.001).name == "neighbours"
    assert choice.choose(Gaussian(0.01), 10, 10, mode="streamed").name == "streamed"


def test_auto_cuts_off_only_where_few_pairs_are_kept():
    x = fermat(400)
    assert engine.kept_fraction(Gaussian(0.3), x) > 0.9 > 0.05 > engine.kept_fraction(Gaussian(0.03), x) > 0
    assert choice.build(Gaussian(0.03), x, x).name == "neighbours"
    assert choice.build(Gaussian(0.3), x, x).name == "resident"


def test_engines_report_what_they_hold():
    x = fermat(256)
    streamed, resident = (choice.build(ReluNTK(1, 1.0, 0.0), x, x, mode=mode) for mode in ("streamed", "resident"))
    assert resident.bytes - streamed.bytes == 256 * 256 * 8
    assert streamed.flops > resident.flops == 256 * 256 * 18


@pytest.mark.parametrize(
    ("kernel", "options", "facts"),
    [
        (
            Gaussian(0.3),
            {"mode": "dense"},
            ('engine.mode = "dense"', "auto, neighbours, resident, streamed, symmetric"),
        ),
        (Delta(), {"mode": "streamed"}, ('engine.mode = "streamed"', "delta", '"neighbours"')),
        (ReluNTK(1, 1.0, 0.0), {"mode": "neighbours"}, ('engine.mode = "neighbours"', "relu", '"streamed"')),
        (ReluNTK(1, 1.0, 0.0), {"precision": "float16"}, ('run.precision = "float16"', '"float32"')),
    ],
)
def test_impossible_engines_are_refused(kernel, options, facts):
    with telling(InputError, *facts):
        choice.build(kernel, fermat(5), fermat(5), **options)
    with telling(InputError, "engine"):
        choice.build(Gaussian(0.3), fermat(5), fermat(5)[:0])
    assert choice.build(Gaussian(0.3), fermat(5), fermat(5)[:1]).apply(np.ones((1, 2))).shape == (5, 2)
