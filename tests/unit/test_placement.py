"""Whole flows on a device that is none: numpy cannot read its arrays, so a forgotten copy fails."""

import json

import foreign
import numpy as np
import pytest
from facts import telling

from jobs import SMALL
from mpiflow import backend, dataset
from mpiflow.comm import Comm
from mpiflow.config import loads
from mpiflow.coupling import SymmetricSum
from mpiflow.errors import InputError
from mpiflow.methods import registry
from mpiflow.ranks import placement


@pytest.fixture
def far(monkeypatch):
    """Every backend "gpu" is the far device."""
    device = foreign.device()
    monkeypatch.setattr(backend, "device", lambda name: device if name == "gpu" else backend.HOST)
    monkeypatch.setattr(placement, "place", lambda comm, wanted: wanted)
    return device


def flow(name, mode="auto"):
    text = SMALL.format(coupling="all").replace("[points]", f'backend = "{name}"\n[points]')
    config = loads(f'{text}\n[engine]\nmode = "{mode}"')
    train, _ = dataset.train_points(Comm(), config.surface(), config)
    return registry.of(config).flow(config, config.surface(), train, {})


@pytest.mark.parametrize("direct", ["0", "1"])
def test_a_flow_with_resident_blocks_on_a_device_agrees_with_the_cpu(far, direct, monkeypatch):
    monkeypatch.setenv("MPIFLOW_CUDA_AWARE", direct)
    here, there = flow("cpu"), flow("gpu")
    for _ in range(3):
        here.step(), there.step()
    np.testing.assert_allclose(there.metric, here.metric, rtol=1e-11, atol=1e-13)
    said = there.attributes()
    assert said["engine"] == "resident" and said["backend"] == "gpu"
    ((device, held),) = json.loads(said["device_bytes"]).items()
    assert device.endswith("gpu 3") and held > 330 * 330 * 8
    assert here.attributes()["device_bytes"] == "{}"


def test_pairs_on_a_device_agree_with_the_cpu(far):
    here, there = flow("cpu", "symmetric"), flow("gpu", "symmetric")
    for _ in range(2):
        here.step(), there.step()
    np.testing.assert_allclose(there.metric, here.metric, rtol=1e-11, atol=1e-13)
    assert there.attributes()["engine"] == "symmetric" and isinstance(there.sum, SymmetricSum)


def test_a_gpu_is_used_by_all_ranks_or_by_none(monkeypatch):
    taken = []
    monkeypatch.setattr(backend, "probe", lambda: (None, "no driver"))
    assert placement.place(Comm(), "auto") == placement.place(Comm(), "cpu") == "cpu"
    with telling(InputError, 'run.backend = "gpu"', "1 of 1 ranks", "no driver", '"cpu"'):
        placement.place(Comm(), "gpu")
    monkeypatch.setattr(backend, "probe", lambda: (np, ""))
    monkeypatch.setattr(backend, "take", lambda rank: taken.append(rank) or "")
    assert placement.place(Comm(), "auto") == "gpu" and taken == [0]


@pytest.mark.parametrize("kinds", ["mpi,system", "mpi,system,cuda", ""])
def test_device_memory_goes_to_an_mpi_that_takes_it_alone(kinds, monkeypatch):
    comm = Comm()
    monkeypatch.setattr(Comm, "memory_kinds", lambda self: kinds)
    assert not placement.cuda_aware(comm)
    monkeypatch.setenv("MPIFLOW_CUDA_AWARE", "1")
    if kinds == "mpi,system":
        with telling(InputError, "MPIFLOW_CUDA_AWARE = 1", "mpi,system"):
            placement.cuda_aware(comm)
    else:
        assert placement.cuda_aware(comm)
