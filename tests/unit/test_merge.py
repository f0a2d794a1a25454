"""Merges: the tree meets every pair once, matchings are optimal, moments are exact, k-means ends at means."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from surfaces import fermat

from mpiflow.clustering import MERGES
from mpiflow.clustering.batches import Batches
from mpiflow.clustering.clusters import cluster
from mpiflow.clustering.linkages.average import Average
from mpiflow.clustering.merges import greedy, kmeans, moments
from mpiflow.clustering.merges.assignment import Assignment
from mpiflow.clustering.tree import levels, match
from mpiflow.comm import Comm
from mpiflow.geometry.projective import distance, embedding
from mpiflow.sampling import TRAIN, chunk

POINTS = chunk(fermat(4), 3, TRAIN, 0, None).z[:3000]


def clumps(count, each, width):
    """Points near `count` far-apart centres, and the number of their centre, shuffled."""
    draw = np.random.default_rng(5)
    owner = np.arange(count * each) % count
    noise = draw.normal(size=(count * each, 5)) + 1j * draw.normal(size=(count * each, 5))
    return np.eye(5)[owner] + width * noise, owner


@given(st.integers(1, 70))
def test_every_pair_of_batches_meets_once(batches):
    met = [
        tuple(sorted((b, other)))
        for joins in levels(batches)
        for join in joins
        for b in range(batches)
        for other in join.meets(b)
    ]
    assert sorted(met) == [(i, j) for i in range(batches) for j in range(i + 1, batches)]


def test_a_tree_of_many_batches_is_as_deep_as_their_logarithm():
    assert [len(joins) for joins in levels(100)] == [50, 25, 12, 6, 3, 2, 1]


def test_a_match_has_the_least_total_cost():
    cost = np.random.default_rng(0).random((6, 6))
    least = min(sum(cost[left, right] for right, left in enumerate(p)) for p in permutations(range(6)))
    assert cost[match(cost), np.arange(6)].sum() == pytest.approx(least)


def test_moments_give_the_exact_mean_of_sin_squared():
    z, w = POINTS[:200], POINTS[200:500]
    a, b = np.arange(200) % 4, np.arange(300) // 75
    sin2 = np.sin(distance(z[:, None], w[None])) ** 2
    slow = [[sin2[np.ix_(a == i, b == j)].mean() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(moments.mean_sin2(moments.moments(z, a, 4), moments.moments(w, b, 4)), slow, rtol=1e-12)


def test_moments_of_a_union_are_those_of_its_members():
    z, label = POINTS[:500], np.arange(500) % 3
    both = moments.union(moments.moments(z[:200], label[:200], 3), moments.moments(z[200:], label[200:], 3))
    np.testing.assert_allclose(both, moments.moments(z, label, 3), rtol=1e-12)


def test_assignment_of_two_batches_is_the_best_of_all_pairings():
    z, count = POINTS[:400], 4
    batches = Batches(Comm(), 400, 200)
    label = np.concatenate([Average().clusters(part, count) for part in (z[:200], z[200:])])
    merged, _ = Assignment().merge(batches, z, label, count)
    d = distance(z[:200, None], z[None, 200:])

    def total(right):
        return sum(d[np.ix_(label[:200] == c, right == c)].mean() for c in range(count))

    np.testing.assert_array_equal(merged[:200], label[:200])
    best = min(total(np.array(p)[label[200:]]) for p in permutations(range(count)))
    assert total(merged[200:]) == pytest.approx(best)


@pytest.mark.parametrize("method", MERGES.known())
def test_every_method_finds_clumps_that_lie_apart(method):
    z, owner = clumps(5, 90, 0.03)
    found = cluster(Comm(), z, 0, 450, count=5, batch=100, merge=method)
    np.testing.assert_array_equal(found.label, owner)


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 12), st.integers(13, 400))
def test_k_means_ends_where_each_centre_is_the_mean_of_its_points(count, total):
    points = embedding(POINTS[:total])
    centres, rounds = kmeans.lloyd(Comm(), np.zeros(1, int), [points], points[:count])
    label = kmeans.nearest(points, centres)[0]
    assert 0 < rounds < kmeans.ITERATIONS
    means = [points[label == c].mean(0) for c in np.unique(label)]
    np.testing.assert_allclose(centres[np.unique(label)], means, atol=5e-2)


@pytest.mark.parametrize("count", [5, 20])
def test_k_means_is_as_good_as_scikit_learn(count):
    points = embedding(POINTS[:1500])
    label = cluster(Comm(), POINTS[:1500], 0, 1500, count=count, batch=700, merge="kmeans").label
    ours = sum(((points[label == c] - points[label == c].mean(0)) ** 2).sum() for c in range(count))
    assert ours < 1.005 * KMeans(count, n_init=4, random_state=0).fit(points).inertia_


def test_planned_bytes_of_a_rank_grow_as_the_logarithm_of_the_ranks():
    each = 8 * 20 * 26 + 4 * 20
    for ranks in (1, 4, 64, 1024):
        planned = moments.planned_bytes(4 * ranks, ranks, 20, 5)
        assert planned.sum(1).max() <= np.log2(ranks) * each
        assert planned.max() <= each


def test_two_clusters_never_join_one_seed():
    assert greedy.pair(np.array([[1.0, 1.0], [2.0, 3.0]])).tolist() == [0, 1]
    assert greedy.pair(np.array([[2.0, 3.0], [1.0, 1.0]])).tolist() == [1, 0]


def test_a_large_cluster_near_a_seed_goes_before_a_small_one_that_is_further():
    """Means of distances decide: by their sums a cluster of one point would go first."""

    def at(angle, number):
        return np.tile([np.cos(angle), np.sin(angle)], (number, 1)).astype(complex)

    z = np.concatenate([at(0.0, 4), at(1.2, 4), at(0.1, 7), at(0.5, 1)])
    label = np.repeat([0, 1, 0, 1], [4, 4, 7, 1]).astype(np.int32)
    merged, _ = greedy.Greedy().merge(Batches(Comm(), 16, 8), z, label, 2)
    assert merged.tolist() == label.tolist()
