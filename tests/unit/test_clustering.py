"""Mini-batch linkage agrees with scikit-learn; the merge is the paper's; garbage is refused."""

import sys

import numpy as np
import pytest
from facts import telling
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import average
from scipy.spatial.distance import squareform
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score
from surfaces import fermat

from mpiflow.clustering import LINKAGES
from mpiflow.clustering.batches import owner
from mpiflow.clustering.clusters import cluster
from mpiflow.clustering.distances import sums_between_clusters, sums_to_clusters
from mpiflow.clustering.merges import greedy
from mpiflow.clustering.partition import canonical, cut
from mpiflow.clustering.trees import condensed_distances
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry.projective import distance, embedding
from mpiflow.ranks.shards import split
from mpiflow.sampling import TRAIN, chunk

POINTS = chunk(fermat(4), 1, TRAIN, 0, None).z[:1500]


def cluster_batch(z, count, linkage="average"):
    return LINKAGES.made(linkage).clusters(z, count)


def exact(z, w):
    return distance(z[:, None], w[None])


def test_condensed_distances_are_the_distances_of_pairs():
    z = POINTS[:1200]
    i, j = np.triu_indices(len(z), 1)
    np.testing.assert_allclose(condensed_distances(z), distance(z[i], z[j]), atol=1e-12)


def test_points_that_coincide_are_near_each_other():
    z = np.repeat(POINTS[:3], 2, axis=0)
    assert squareform(condensed_distances(z))[[0, 2, 4], [1, 3, 5]].max() < 1e-7


@pytest.mark.parametrize("linkage", ["average", "complete"])
@pytest.mark.parametrize("count", [1, 2, 20, 400])
def test_linkage_on_distances_agrees_with_scikit_learn(linkage, count):
    z = POINTS[:400]
    d = squareform(condensed_distances(z))
    theirs = AgglomerativeClustering(n_clusters=count, metric="precomputed", linkage=linkage).fit_predict(d)
    np.testing.assert_array_equal(cluster_batch(z, count, linkage), canonical(theirs))


def test_ward_in_the_embedding_agrees_with_scikit_learn():
    theirs = AgglomerativeClustering(n_clusters=20, linkage="ward").fit_predict(embedding(POINTS))
    assert adjusted_rand_score(theirs, cluster_batch(POINTS, 20, "ward")) == 1


@pytest.mark.parametrize("linkage", ["average", "complete", "ward"])
@pytest.mark.parametrize("size, count", [(2, 1), (150, 7), (1500, 5), (1500, 300)])
def test_scipy_gives_the_labels_of_fastcluster(monkeypatch, linkage, size, count):
    pytest.importorskip("fastcluster", reason="it has no wheel for this Python")
    theirs = cluster_batch(POINTS[:size], count, linkage)
    monkeypatch.setitem(sys.modules, "fastcluster", None)  # an import of it fails
    np.testing.assert_array_equal(cluster_batch(POINTS[:size], count, linkage), theirs)


@pytest.mark.parametrize("count", [1, 7, 50, 300])
def test_chordal_linkage_is_average_linkage_on_sin_squared(count):
    z = POINTS[:300]
    tree = average(np.sin(condensed_distances(z)) ** 2)
    np.testing.assert_array_equal(cluster_batch(z, count, "chordal"), cut(tree, 300, count))


@pytest.mark.parametrize("linkage", LINKAGES.known())
def test_every_linkage_gives_as_many_clusters_as_asked_for(linkage):
    for size, count in [(1, 1), (2, 1), (2, 2), (9, 4)]:
        label = cluster_batch(POINTS[:size], count, linkage)
        assert label.dtype == np.int32 and label[0] == 0
        assert len(np.unique(label)) == count == label.max() + 1


@pytest.mark.parametrize("linkage", LINKAGES.known())
def test_points_that_all_coincide_still_make_clusters(linkage):
    label = cluster_batch(np.repeat(POINTS[:1], 30, axis=0), 4, linkage)
    assert len(np.unique(label)) == 4


def test_canonical_numbers_follow_the_lowest_member():
    np.testing.assert_array_equal(canonical(np.array([7, 7, 2, 9, 2])), [0, 0, 1, 2, 1])


@given(st.integers(1, 60), st.integers(1, 60))
def test_owner_is_the_rank_whose_share_holds_the_batch(batches, ranks):
    for rank in range(ranks):
        assert all(owner(batches, ranks, b) == rank for b in split(batches, ranks, rank))


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 300), st.integers(1, 1500), st.integers(1, 9))
def test_streamed_sums_agree_with_all_distances(rows, columns, count):
    z, w = POINTS[-rows:], POINTS[:columns]
    label = np.arange(columns) ** 2 % count
    slow = exact(z, w) @ np.eye(count)[label]
    np.testing.assert_allclose(sums_to_clusters(z, w, label, count), slow, rtol=1e-10, atol=1e-6)


def test_sums_between_clusters_add_over_both():
    z, w = POINTS[:200], POINTS[300:700]
    a, b = np.arange(200) % 3, np.arange(400) // 140
    slow = np.eye(3)[a].T @ exact(z, w) @ np.eye(3)[b]
    np.testing.assert_allclose(sums_between_clusters(z, a, w, b, 3), slow, rtol=1e-11)


def test_greedy_lets_seeds_choose_in_turn_among_those_left():
    # Both clusters are nearest to seed 0: seed 0 takes cluster 1, seed 1 must take cluster 0.
    mean = np.array([[0.2, 0.9, 0.5], [0.1, 0.3, 0.6], [0.7, 0.8, 0.4]])
    np.testing.assert_array_equal(greedy.pair(mean), [2, 0, 1])


def test_greedy_merge_follows_the_paper_step_by_step():
    z, count, batch = POINTS[:700], 5, 200
    found = cluster(Comm(), z, 0, 700, count=count, batch=batch)
    parts = [range(start, min(start + batch, 700)) for start in range(0, 700, batch)]
    for part in parts:
        np.testing.assert_array_equal(found.batch_label[part], cluster_batch(z[part], count))
    np.testing.assert_array_equal(found.label[:batch], found.batch_label[:batch])
    for part in parts[1:]:
        left = set(range(count))
        for seed in range(count):
            own = z[:batch][found.label[:batch] == seed]
            near = {k: exact(z[part][found.batch_label[part] == k], own).mean() for k in left}
            taken = min(near, key=near.get)
            left.remove(taken)
            assert set(found.label[part][found.batch_label[part] == taken]) == {seed}


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"count": 0}, ("clusters.count = 0", 1)),
        ({"count": 201}, ("clusters.count = 201", 200)),
        ({"count": 101, "batch": 200}, ("clusters.batch = 200", 100, 101)),
        ({"batch": 0}, ("clusters.batch = 0", 1)),
    ],
)
def test_what_cannot_be_clustered_is_refused_with_its_key(options, facts):
    with telling(InputError, *facts):
        cluster(Comm(), POINTS[:300], 0, 300, **{"count": 2, "batch": 200} | options)
