"""Wide networks under plain descent follow the flow of the frozen ReLU NTK."""

import numpy as np
import pytest
from facts import telling

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.errors import InputError, NumericalError
from mpiflow.job.flowing import Flowing
from mpiflow.network import objective
from mpiflow.network.lazy import movement

TABLE = {
    "manifold": {"ambient": 3},
    "points": {"train": 60, "test": 40},
    "flow": {"dt": 0.1, "steps": 6, "test_every": 6},
}


def begun(moved_by):
    return Flowing.begun(Comm(), check(TABLE | moved_by, "lazy"))


def network(width, seed=3):
    return begun({"network": {"kind": "lazy", "width": width, "depth": 1, "batch": 60, "seed": seed}})


@pytest.fixture(scope="module")
def wide():
    made = network(4096)
    first = made.flow.metric.copy()
    return first, made.finish()


def test_the_ntk_comes_to_its_limit_as_one_over_the_root_of_the_width(wide):
    narrow, wide = (movement(made.flow, made.train, made.test) for made in (network(64).finish(), wide[1]))
    for name in ("moved", "away"):
        assert 4 < getattr(narrow, name) / getattr(wide, name) < 100
    assert wide.away < 0.08


def test_networks_of_one_width_compile_once():
    compiled, metrics = [], []
    for seed in (3, 4):
        made = network(64, seed)
        made.advance()
        metrics.append(made.flow.metric)
        compiled.append([function._cache_size() for function in (objective.chunk, objective.metric)])
    assert compiled[0] == compiled[1] and np.abs(metrics[0] - metrics[1]).max() > 1e-3


@pytest.mark.parametrize(("dt", "fact"), [(1e30, "g_FS"), (1e200, "flow.dt")])
def test_a_network_in_which_the_reference_is_lost_is_refused(dt, fact):
    """Its sigma, which no scale changes, and its gain look like those of a metric."""
    made = network(16)
    made.flow.dt = dt
    with telling(NumericalError, "epoch 1", fact):
        made.advance()


def test_a_network_that_begins_without_a_metric_is_told_of_it():
    table = {"kind": "additive", "width": 16, "depth": 1, "batch": 60, "silent": False}
    with telling(InputError, "flow.loss", "network.silent", 'flow.loss = "sigma"'):
        begun({"network": table, "run": {"seed": 2}}).begin()


def test_a_wide_network_follows_the_flow_of_its_frozen_kernel(wide):
    first, made = wide
    reference = made.train.reference(made.surface)
    np.testing.assert_allclose(first, reference, atol=1e-13)
    expected = begun({"kernel": {"name": "relu", "depth": 1}}).finish().flow.metric
    assert np.linalg.norm(expected - reference) > 0.05 * np.linalg.norm(reference)
    assert np.linalg.norm(made.flow.metric - expected) < 0.05 * np.linalg.norm(expected - reference)
