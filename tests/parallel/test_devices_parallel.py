"""Kernel sums whose rows lie on devices, on several ranks."""

import json
from types import SimpleNamespace

import foreign
import numpy as np
import pytest

from jobs import JOBS
from mpiflow import backend, dataset
from mpiflow.comm import Comm, world
from mpiflow.config import loads
from mpiflow.coupling import Coupling
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.methods import potentials, registry
from mpiflow.ranks.exchange import DeviceExchange, Exchange
from mpiflow.ranks.shards import Layout


class OnDevice:
    """Rows that only `__cuda_array_interface__` shows, as a GPU's."""

    def __init__(self, rows):
        self.rows, self.shape = rows, rows.shape

    @property
    def __cuda_array_interface__(self):
        return {**self.rows.__array_interface__, "version": 3, "stream": None}


@pytest.mark.parallel([1, 2])
def test_rows_go_from_device_to_device_as_from_host_to_host():
    comm = world()
    xp = SimpleNamespace(
        float64=np.float64,
        empty=lambda shape, dtype: OnDevice(np.empty(shape, dtype)),
        take=lambda rows, index, axis: OnDevice(np.take(rows.rows, index.rows, axis)),
    )
    device = backend.Device(xp, OnDevice, lambda array: array.rows)
    layout = Layout(comm, np.zeros(1000, int), 1, [1.0])
    wanted = np.random.default_rng(comm.rank).permutation(1000)[: 300 + comm.rank]
    exchange = Exchange(comm, layout.rows, wanted)
    found = DeviceExchange(exchange, device, direct=True)(OnDevice(np.outer(layout.rows, [1.0, -2.0])))
    np.testing.assert_array_equal(found.rows, np.outer(wanted, [1.0, -2.0]))


@pytest.mark.parallel([2])
def test_kernel_sums_on_devices_have_the_bits_of_one_rank(monkeypatch):
    device = foreign.device()
    monkeypatch.setattr(backend, "device", lambda name: device if name == "gpu" else backend.HOST)
    z = np.random.default_rng(0).normal(size=(500, 5, 2)).view(complex)[..., 0]
    label, v = np.arange(500) % 2, np.random.default_rng(1).normal(size=(500, 9))

    def apply(comm):
        layout = Layout(comm, label, 2, [1.0, 1.0])
        coupling = Coupling(
            Gaussian(0.4), layout, z[layout.rows], layout.members, device=device, mode="resident", backend="gpu"
        )
        return layout, coupling.onto(layout, z[layout.rows]).apply(v[layout.rows])

    here, alone = apply(world()), apply(Comm())
    whole = np.empty((500, 9))
    whole[alone[0].rows] = alone[1]
    np.testing.assert_array_equal(here[1], whole[here[0].rows])


@pytest.mark.parallel([2])
@pytest.mark.parametrize("kind", ["invariant", "generic"])
def test_potentials_on_devices_have_the_bits_of_one_rank(kind, monkeypatch):
    device = foreign.device()
    monkeypatch.setattr(backend, "device", lambda name: device if name == "gpu" else backend.HOST)
    config = loads((JOBS / "kaehler.toml").read_text())

    def flowed(comm, placed):
        surface = config.surface()
        train, _ = dataset.train_points(comm, surface, config)
        # Conjugate gradients of a small ridge stop by rounding an iteration sooner or later.
        rule = KaehlerRule(0.3, ridge=0.1, backend=placed)
        flow = KaehlerFlow(surface, potentials.features(comm, surface, 2, kind), train, rule)
        for _ in range(2):
            flow.step()
        return flow

    here, alone, host = flowed(world(), "gpu"), flowed(Comm(), "gpu"), flowed(Comm(), "cpu")
    assert (here.state.coefficients == alone.state.coefficients).all()
    np.testing.assert_allclose(alone.state.coefficients, host.state.coefficients, rtol=0, atol=1e-9)
    assert sum(json.loads(here.attributes()["device_bytes"]).values()) > 1000 * len(here.features)


@pytest.mark.parallel([1, 2])
def test_an_mpi_says_what_memory_it_takes_or_nothing():
    said = world().memory_kinds()
    assert isinstance(said, str) and ("system" in said or not said)


@pytest.mark.gpu
@pytest.mark.parallel([2])
@pytest.mark.parametrize("mode", ["resident", "symmetric"])
def test_two_ranks_share_a_gpu_and_agree_with_the_cpu(mode):
    if backend.probe()[0] is None:
        pytest.skip(backend.probe()[1])
    comm = world()
    metrics = []
    for name in ("cpu", "gpu"):
        text = (JOBS / "quickstart.toml").read_text()
        engine = f'[engine]\nmode = "{mode}"'
        config = loads(text.replace("[manifold]", f'backend = "{name}"\n[manifold]') + engine)
        train, _ = dataset.train_points(comm, config.surface(), config)
        run = registry.of(config).flow(config, config.surface(), train, {})
        for _ in range(config.flow.steps):
            run.step()
        metrics.append(run.metric)
    assert np.abs(metrics[1] - metrics[0]).max() < 1e-5
    assert sum(json.loads(run.attributes()["device_bytes"]).values()) > 1000 * (1000 * 8 if mode == "resident" else 80)
