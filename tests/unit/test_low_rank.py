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

    def prepare(self, frame, whole=False, device=None):
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


def _surface(kind: str, ambient: int):
    """A surface of two factors for what is of products alone."""
    if kind == "nearest-sections":
        return surfaces.configuration((1, 2), ((2, 3),), (1.0, 1.3), seed=2)
    return surfaces.fermat(ambient)


def _agrees(device, surface, degree: int, kind: str, single: bool) -> LowRank:
    """All products on a device with those of the host: both apart, and with what was spread."""
    features = potentials.features(Comm(), surface, degree, kind)
    host = problem(surface, features, 1300)
    there = LowRank(host.engine.chunks, features, host.engine.frame, device=device, single=single)
    here = LowRank(host.engine.chunks, features, host.engine.frame, single=single)
    rng, near = np.random.default_rng(3), 3e-6 if single else 1e-13
    c, v, t = 1e-3 * rng.normal(size=len(features)), rng.normal(size=(1300, here.reals)), rng.normal(size=1300)
    for found, expected in (
        (there.apply(c), here.apply(c)),
        (there.adjoint(v), here.adjoint(v)),
        (there.traced(c, there.spread(v)), (here.apply(c) * v).sum(1)),
        (there.pulled(t, there.spread(v)), here.adjoint(t[:, None] * v)),
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=near * np.abs(expected).max())
    if kind == "invariant" and not single:
        state = host.at(c)
        columns = (host.slope(state), host.weight, state.residual)
        expected = host.engine.gram(*columns)
        np.testing.assert_allclose(there.gram(*columns), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    return there


@pytest.mark.parametrize("kind, single", [("invariant", False), ("generic", True), ("nearest-sections", False)])
def test_features_on_a_device_give_what_the_host_gives(kind, single):
    """Products alone are the device's: numpy cannot read what is kept there."""
    there = _agrees(foreign.device(), _surface(kind, 3), 4 if kind == "invariant" else 2, kind, single)
    with pytest.raises(RuntimeError):
        np.asarray(there._kept[0])


@pytest.mark.gpu
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("kind", ["invariant", "generic", "nearest-sections"])
def test_gpu_gives_what_the_host_gives(kind, single):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    _agrees(backend.device("gpu"), _surface(kind, 4), 4 if kind != "nearest-sections" else 2, kind, single)


@pytest.mark.parametrize("kind", ["invariant", "generic"])
def test_what_is_spread_gives_the_same_bits_on_the_host(kind):
    surface = surfaces.fermat(3)
    engine = problem(surface, potentials.features(Comm(), surface, 4, kind), 1300).engine
    rng = np.random.default_rng(4)
    c, v, t = rng.normal(size=engine.size), rng.normal(size=(1300, engine.reals)), rng.normal(size=1300)
    assert (engine.traced(c, engine.spread(v)) == (v * engine.apply(c)).sum(1)).all()
    assert (engine.pulled(t, engine.spread(v)) == engine.adjoint(t[:, None] * v)).all()
