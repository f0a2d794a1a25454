"""The low-rank engine against its dense float64 kernel, on sizes that do not divide a chunk."""

import foreign
import numpy as np
import pytest
import surfaces
from hypothesis import given, settings
from hypothesis import strategies as st
from surfaces import problem

from mpiflow import backend
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.geometry.domain import Frame
from mpiflow.methods import potentials
from mpiflow.ranks.chunks import Chunks

POINTS = np.random.default_rng(0).normal(size=(1300, 5, 2)).view(complex)[..., 0]


class Waves:
    """Features that are any smooth functions: seven of them with nine reals each."""

    weights = np.random.default_rng(1).normal(size=(7, 9, 5, 2)).view(complex)[..., 0]

    def __len__(self):
        return 7

    def prepare(self, frame, whole=False):
        return np.cos(np.einsum("prk,xk->pxr", self.weights, frame.z).real)

    def load(self, coefficients, device):
        return coefficients

    def contract(self, prepared, coefficients, device, whole=False):
        return np.einsum("p,pxr->xr", coefficients, prepared)

    def adjoint(self, prepared, v, device):
        return np.einsum("pxr,xr->p", prepared, v)

    def bytes(self, points, d, whole=False):
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


@pytest.mark.parametrize("kind", ["invariant", "generic"])
def test_features_on_a_device_give_what_the_host_gives(kind):
    """Products alone are the device's: numpy cannot read what is kept there."""
    surface, comm = surfaces.fermat(3), Comm()
    features = potentials.features(comm, surface, 4, kind)
    host = problem(surface, features, 1300)
    there = LowRank(host.engine.chunks, features, host.engine.frame, device=foreign.device())
    rng = np.random.default_rng(3)
    c, v = 1e-3 * rng.normal(size=len(features)), rng.normal(size=(1300, 4))
    np.testing.assert_allclose(there.apply(c), host.engine.apply(c), rtol=0, atol=1e-14)
    expected = host.engine.adjoint(v)
    np.testing.assert_allclose(there.adjoint(v), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    with pytest.raises(Exception, match="device"):
        np.asarray(there._kept[0])
    if kind == "invariant":
        state = host.at(c)
        columns = (host.slope(state), host.weight, state.residual)
        expected = host.engine.gram(*columns)
        np.testing.assert_allclose(there.gram(*columns), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["invariant", "generic"])
def test_gpu_gives_what_the_host_gives(kind):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    surface = surfaces.fermat(4)
    features = potentials.features(Comm(), surface, 4, kind)
    host = problem(surface, features, 1300)
    there = LowRank(host.engine.chunks, features, host.engine.frame, device=backend.device("gpu"))
    v = np.random.default_rng(3).normal(size=(1300, 9))
    expected = host.engine.adjoint(v)
    found = there.adjoint(v)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    expected = host.engine.apply(found)
    np.testing.assert_allclose(there.apply(found), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
