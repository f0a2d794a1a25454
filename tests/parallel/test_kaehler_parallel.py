"""The Kaehler flow has the same bits on any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import fermat

from mpiflow import sampling
from mpiflow.ansatz.log import Log
from mpiflow.comm import Comm, world
from mpiflow.dataset import PointSet
from mpiflow.flows.ladder import Ladder
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.methods import potentials
from mpiflow.ranks.chunks import CHUNK, Chunks
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import Layout
from mpiflow.searches.gauss_newton import GaussNewton


def _flow(comm, total, kind):
    surface = fermat(3)
    number, points = sampling.sample(comm, surface, total, 1, sampling.TRAIN, None)
    layout = Layout(comm, np.zeros(total, np.int32), 1, [1.0])
    train = PointSet(layout, points.map(Exchange(comm, number, layout.rows)), np.zeros(len(layout.rows), np.int32))
    if kind == "ladder":
        ladder = Ladder(
            (1, 3), 2, lambda k: potentials.features(comm, surface, k, "generic"), potentials.drawn(surface)
        )
        search = GaussNewton(inner=5)
        rule = KaehlerRule(1.0, search=search, ridge=1e-3, ansatz=Log(), single=True, smooth=True, weights="capped")
        return KaehlerFlow(surface, ladder, train, rule)
    features = potentials.features(comm, surface, 6 if kind == "invariant" else 2, kind)
    return KaehlerFlow(surface, features, train, KaehlerRule(0.4, refreeze=2, ridge=1e-6))


@pytest.mark.parallel([3])
@pytest.mark.parametrize("kind", ["invariant", "generic", "ladder"])
@pytest.mark.parametrize("total", [300, 1400])
def test_bits_do_not_depend_on_the_ranks(total, kind):
    comm = world()
    here, alone = _flow(comm, total, kind), _flow(Comm(), total, kind)
    for _ in range(4):
        assert here.step() == alone.step()
    assert (here.state.coefficients == alone.state.coefficients).all()
    metric = here.snapshot()["metric/current"]
    if comm.rank == 0:
        assert (metric == alone.snapshot()["metric/current"]).all()


@pytest.mark.parallel([2, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 7, 13])
def test_tree_sums_are_those_of_one_rank(count):
    comm = world()
    total = count * CHUNK - 5
    values = np.random.default_rng(count).normal(size=(total, 3)) ** 5
    chunks = Chunks(comm, total)
    alone = Chunks(Comm(), total).sum(values)
    assert (chunks.sum(values[chunks.rows]) == alone).all()
    np.testing.assert_allclose(alone, values.sum(0), rtol=1e-12)
