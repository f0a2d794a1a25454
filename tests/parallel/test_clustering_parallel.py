"""Clusters do not depend on the number of ranks."""

import numpy as np
import pytest
from surfaces import fermat

from mpiflow.clustering import MERGES
from mpiflow.clustering.clusters import cluster
from mpiflow.clustering.halo import halo
from mpiflow.clustering.merges.moments import planned_bytes
from mpiflow.clustering.quality import quality
from mpiflow.comm import Comm, world
from mpiflow.ranks.shards import Layout, split
from mpiflow.sampling import TRAIN, chunk

POINTS = chunk(fermat(4), 1, TRAIN, 0, None).z[:1500]


def own_rows(comm, total, batch):
    """The rows of whole batches that a rank holds."""
    share = split(-(-total // batch), comm.size, comm.rank)
    return slice(min(share.start * batch, total), min(share.stop * batch, total))


@pytest.mark.parallel([3])
@pytest.mark.parametrize("merge", MERGES.known())
@pytest.mark.parametrize(
    ("total", "batch", "count"),
    [(1500, 250, 4), (1000, 300, 6), (500, 120, 1), (300, 1000, 5)],
    ids=["batches that divide the points", "a short last batch", "one cluster", "one batch and empty shards"],
)
def test_labels_are_the_same_on_any_number_of_ranks(total, batch, count, merge):
    comm = world()
    rows = own_rows(comm, total, batch)
    options = {"count": count, "batch": batch, "merge": merge}
    found = cluster(comm, POINTS[rows], rows.start, total, **options)
    alone = cluster(Comm(), POINTS[:total], 0, total, **options)
    np.testing.assert_array_equal(found.label, alone.label[rows])
    np.testing.assert_array_equal(found.batch_label, alone.batch_label[rows])
    assert found.label.dtype == np.int32
    assert (np.bincount(alone.label, minlength=count) > 0).all()


@pytest.mark.parallel([1, 2, 3])
@pytest.mark.parametrize("exact", [2000, 300], ids=["exact", "sampled"])
def test_quality_has_the_same_bits_on_any_number_of_ranks(exact):
    comm = world()
    rows = own_rows(comm, 1000, 300)
    label = np.arange(1000) % 7
    found = quality(comm, POINTS[rows], label[rows], exact)
    alone = quality(Comm(), POINTS[:1000], label, exact)
    assert found.silhouette == alone.silhouette
    assert found.neighbours == alone.neighbours
    np.testing.assert_array_equal(found.size, alone.size)
    np.testing.assert_array_equal(found.diameter, alone.diameter)


@pytest.mark.parallel([2, 4])
@pytest.mark.parametrize("batch", [100, 130, 800])
def test_moments_exchange_what_was_planned(batch):
    comm = world()
    rows = own_rows(comm, 1000, batch)
    found = cluster(comm, POINTS[rows], rows.start, 1000, count=6, batch=batch, merge="moments")
    planned = planned_bytes(-(-1000 // batch), comm.size, 6, 5)
    np.testing.assert_array_equal(found.exchange_bytes, planned[comm.rank])


@pytest.mark.parallel([1, 2, 3])
def test_halos_are_the_same_on_any_number_of_ranks():
    comm = world()
    label = cluster(Comm(), POINTS, 0, 1500, count=5, batch=500).label
    label[:900] = 0  # a cluster that is split over ranks
    layout, alone = (Layout(c, label, 5, [1.0] * 5) for c in (comm, Comm()))
    for reach in (0.1, 0.3):
        found = halo(layout, POINTS[layout.rows], reach)
        for lists in zip(found, halo(alone, POINTS[alone.rows], reach), strict=True):
            np.testing.assert_array_equal(*lists)
