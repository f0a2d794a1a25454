"""The low-rank engine against its dense float64 kernel, on sizes that do not divide a chunk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.geometry.frames import Frame
from mpiflow.ranks.chunks import Chunks

POINTS = np.random.default_rng(0).normal(size=(1300, 5, 2)).view(complex)[..., 0]


class Waves:
    """Features that are any smooth functions: seven of them with nine reals each."""

    weights = np.random.default_rng(1).normal(size=(7, 9, 5, 2)).view(complex)[..., 0]

    def __len__(self):
        return 7

    def prepare(self, frame):
        return np.cos(np.einsum("prk,xk->pxr", self.weights, frame.z).real)

    def contract(self, prepared, coefficients):
        return np.einsum("p,pxr->xr", coefficients, prepared)

    def adjoint(self, prepared, v):
        return np.einsum("pxr,xr->p", prepared, v)

    def bytes(self, points, d):
        return 8 * 7 * points * d**2


def built(rows, memory=2.0**31):
    z = POINTS[rows]
    here = Frame(z, np.zeros((len(z), 5, 3), complex), np.zeros((len(z), 5, 3, 3), complex), np.zeros((len(z), 3, 3)))
    return LowRank(Chunks(Comm(), len(z)), Waves(), here, memory), Waves().prepare(here)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 1300), st.integers(1, 1300))
def test_two_passes_are_the_dense_kernel(count, distinct):
    engine, features = built(np.arange(count) % distinct)
    v = np.random.default_rng(count).normal(size=(count, 9))
    kernel = np.einsum("pxr,pys->xrys", features[:, :40], features)
    u = np.einsum("xrys,ys->xr", kernel, v)
    found = engine.apply(engine.adjoint(v))
    assert np.abs(found[:40] - u).max() < 1e-12 * np.abs(u).max() + 1e-12


@pytest.mark.parametrize("count", [1, 512, 700])
def test_normal_matrix_is_the_dense_one(count):
    engine, features = built(np.arange(count))
    rng = np.random.default_rng(2)
    inverse, weight, residual = rng.normal(size=(count, 9)), rng.random(count), rng.normal(size=count)
    traces = np.einsum("pxr,xr->px", features, inverse)
    rows = np.concatenate([traces, np.ones((1, count)), residual[None]])
    expected = (rows * weight) @ rows.T
    np.testing.assert_allclose(engine.gram(inverse, weight, residual), expected, atol=1e-12 * np.abs(expected).max())


def test_kept_and_recomputed_features_have_the_same_bits():
    v = np.random.default_rng(3).normal(size=(900, 9))
    kept, again = built(np.arange(900))[0], built(np.arange(900), memory=0.0)[0]
    assert kept.resident and not again.resident
    for _ in range(2):
        assert (kept.apply(kept.adjoint(v)) == again.apply(again.adjoint(v))).all()
