"""A network is trained to the same bits on any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import fermat

from mpiflow import sampling
from mpiflow.comm import Comm, world
from mpiflow.dataset import PointSet
from mpiflow.methods.registry import NETWORKS
from mpiflow.network.flow import NetworkFlow, NetworkRule, architecture
from mpiflow.network.objective import Objective
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import Layout
from mpiflow.searches.adam import Adam
from mpiflow.searches.sgd import Sgd


def _flow(comm, kind, precision, search=None, total=700):
    surface = fermat(3)
    number, points = sampling.sample(comm, surface, total, 1, sampling.TRAIN, None)
    layout = Layout(comm, np.zeros(total, np.int32), 1, [1.0])
    train = PointSet(layout, points.map(Exchange(comm, number, layout.rows)), np.zeros(len(layout.rows), np.int32))
    extra = {"kaehler": 0.1, "transition": 0.1} if kind == "multiplicative" else {}
    kind = NETWORKS.find(kind)(width=12, depth=2)
    goal = Objective(architecture(surface, kind), kind, **extra)
    rule = NetworkRule(goal, 1e-2, 160, 5, decay=0.9, precision=precision, search=search or Adam())
    return NetworkFlow(surface, train, rule, "all")


@pytest.mark.parallel([3])
@pytest.mark.parametrize(
    "case", [("multiplicative", "float32"), ("potential", "float64"), ("independent", "float64", Sgd())]
)
def test_bits_do_not_depend_on_the_ranks(case):
    comm = world()
    here, alone = _flow(comm, *case), _flow(Comm(), *case)
    first = here.record().sigma_train
    for _ in range(2):
        assert here.step() == alone.step()
    assert (here.progress.theta == alone.progress.theta).all()
    assert here.progress.count == 10 and here.record().sigma_train < first
    metric = here.snapshot()["metric/current"]
    if comm.rank == 0:
        assert (metric == alone.snapshot()["metric/current"]).all()
