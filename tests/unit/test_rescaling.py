"""h(x) K(x, x') h(x') in place of K, for every component kernel (HR 2.15 - 2.18), and the discrete delta."""

import numpy as np
import pytest

import mpiflow as library
from mpiflow import config, losses
from mpiflow.comm import Comm
from mpiflow.functionals.log import Log
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK
from mpiflow.methods import registry

KERNELS = [{"name": "gaussian", "width": 0.4}, {"name": "delta"}, {"name": "relu", "depth": 1}, {"name": "cosine"}]


def made(kernel, steps=3, dt=1e-4, **flow):
    table = {
        "points": {"train": 60, "test": 30},
        "kernel": kernel,
        "flow": {"dt": dt, "steps": steps, "normalisation": "sum"} | flow,
    }
    return Flowing.begun(Comm(), config.check(table, "test"))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel["name"])
def test_the_flow_is_that_of_the_rescaled_kernel(kernel):
    """Written out on all pairs; the delta's nearest train point is the point itself."""
    flowing = made(kernel | {"rescale": 0.5})
    p, surface = flowing.train.points, flowing.surface
    sets = [(one.points, one.reference(surface)) for one in (flowing.train, flowing.test)]
    h = [np.sqrt(points.omega2 / losses.determinant(g)) for points, g in sets]
    tile = flowing.config.kernel.tile
    onto = [h[k][:, None] * tile(sets[k][0].z, p.z) * h[0] for k in range(2)]
    g, unseen = (reference for _, reference in sets)
    kappa = p.weight @ (losses.determinant(g) / p.omega2) / p.weight.sum()
    for _ in range(3):
        gradient = losses.gradient(g, losses.eta(g, p.omega2, kappa), Log())
        g, unseen = (m - 1e-4 * np.einsum("xy,yab->xab", k, gradient) for m, k in zip((g, unseen), onto, strict=True))
    watched = flowing.watched
    flowing.finish()
    np.testing.assert_allclose(flowing.flow.metric, g, rtol=0, atol=1e-12)
    np.testing.assert_allclose(watched(), unseen, rtol=0, atol=1e-12)
    found = flowing.predictor().metric(flowing.test.layout, flowing.test.points.z, flowing.test.points.chart)
    np.testing.assert_allclose(found, unseen, rtol=0, atol=1e-12)


def test_a_power_of_zero_is_the_kernel_itself():
    flows = [made({"name": "gaussian", "width": 0.4} | keys).finish().flow for keys in ({}, {"rescale": 0.0})]
    assert flows[0].metric.tobytes() == flows[1].metric.tobytes()


def test_a_rescaled_run_is_opened_as_what_it_was(tmp_path):
    table = made({"name": "gaussian", "width": 0.4, "rescale": -0.5}).config
    model = library.run(table, tmp_path / "run")
    z = library.sample({"family": "fermat"}, 20, seed=3, chart=(0, 1)).z
    again = library.open(tmp_path / "run")
    np.testing.assert_array_equal(model.metric(z), again.metric(z))
    assert again.config.kernel.rescale == -0.5


def test_a_discrete_delta_learns_nothing_at_unseen_points():
    flowing = made({"name": "gaussian", "width": 1e-3}, steps=50, dt=0.01)
    before = flowing.watched().copy()
    flowing.finish()
    train, unseen = flowing.table()[:2]
    assert train.gain > 5 and (flowing.watched() == before).all() and unseen.gain == 1


def test_every_component_kernel_has_the_key_behind_its_own():
    kinds = [kind for kind in registry.KERNELS.known().values() if kind.method == "components"]
    assert len(kinds) > 6 and all("rescale" in kind.model_fields for kind in kinds)
    assert Gaussian(0.3).width == 0.3 and ReluNTK(3).depth == 3
