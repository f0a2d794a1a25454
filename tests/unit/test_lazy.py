"""Wide networks under plain descent follow the flow of the frozen ReLU NTK."""

import numpy as np
import pytest

from mpiflow import build, dataset
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.errors import NumericalError
from mpiflow.functionals.log import Log
from mpiflow.methods.networks.additive import Additive
from mpiflow.network import objective
from mpiflow.network.architecture import Architecture
from mpiflow.network.descent import centred, descend
from mpiflow.network.lazy import Study
from mpiflow.network.objective import Objective

TABLE = {
    "manifold": {"ambient": 3},
    "points": {"train": 60, "test": 40},
    "kernel": {"name": "relu", "depth": 1},
    "flow": {"dt": 0.1, "steps": 6},
}


@pytest.fixture(scope="module")
def study():
    config = check(TABLE, "lazy")
    surface = config.surface()
    train, _ = dataset.train_points(Comm(), surface, config)
    test = dataset.test_points(Comm(), surface, config, train)
    flow = build.flow(config, surface, train, {})
    for _ in range(6):
        flow.step()
    return Study(Comm(), surface, config.kernel, train, test, 0.1, 6), flow


def test_the_ntk_comes_to_its_limit_as_one_over_the_root_of_the_width(study):
    found = {width: [study[0].measure(width, seed) for seed in range(3)] for width in (16, 1024)}
    for name in ("moved", "away"):
        narrow, wide = (np.mean([getattr(one, name) for one in found[width]]) for width in (16, 1024))
        assert 4 < narrow / wide < 100
    assert max(one.away for one in found[1024]) < 0.15


def test_a_wide_network_follows_the_flow_of_its_frozen_kernel(study):
    networks, flow = study
    goal = Objective(Architecture(8, 4, 4096, 1, "relu", (2**0.5, 0.1)), Additive(), Log())
    first = goal.architecture.initial(3)
    columns = centred(goal, first, networks.columns[0])
    reference = networks.columns[0]["reference"]
    np.testing.assert_allclose(objective.metric(goal, first, columns), reference, atol=1e-13)
    last, time = descend(Comm(), goal, first, columns, 0.1, 6)
    assert time == pytest.approx(0.6)
    g = np.asarray(objective.metric(goal, last, columns))
    expected = flow.layout.gather(flow.metric)
    assert np.linalg.norm(expected - reference) > 0.05 * np.linalg.norm(reference)
    assert np.linalg.norm(g - expected) < 0.05 * np.linalg.norm(expected - reference)


def test_a_descent_without_a_step_says_so(study):
    networks, _ = study
    goal = Objective(Architecture(8, 4, 4, 1, "relu", (2**0.5, 0.1)), Additive(), Log())
    broken = networks.columns[0] | {"volume": -networks.columns[0]["volume"]}
    with pytest.raises(NumericalError, match="no step keeps det g positive"):
        descend(Comm(), goal, goal.architecture.initial(1), broken, 0.1, 1)
