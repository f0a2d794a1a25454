"""Silhouettes, diameters and neighbours agree with scikit-learn and with slow sums."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from surfaces import fermat

from mpiflow.clustering import LINKAGES
from mpiflow.clustering.quality import quality, silhouette, sizes
from mpiflow.comm import Comm
from mpiflow.geometry.projective import distance
from mpiflow.sampling import TRAIN, chunk

POINTS = chunk(fermat(4), 2, TRAIN, 0, None).z[:6000]


def exact(z):
    return distance(z[:, None], z[None])


@pytest.mark.parametrize("count", [2, 5, 20])
def test_silhouette_agrees_with_scikit_learn(count):
    z = POINTS[:700]
    label = LINKAGES.made("average").clusters(z, count)
    found = silhouette(Comm(), z, label)
    assert found.mean == pytest.approx(silhouette_score(exact(z), label, metric="precomputed"), abs=1e-9)
    assert found.error == 0 and found.points == 700


def test_points_alone_in_their_cluster_and_empty_clusters_count_as_in_scikit_learn():
    z = POINTS[:100]
    label = np.where(np.arange(100) < 3, np.arange(100), 5)
    found = silhouette(Comm(), z, label)
    assert found.mean == pytest.approx(silhouette_score(exact(z), label, metric="precomputed"), abs=1e-9)


def test_one_cluster_has_no_silhouette():
    assert np.isnan(silhouette(Comm(), POINTS[:10], np.zeros(10, int)).mean)


def test_a_sampled_silhouette_is_within_its_interval():
    label = LINKAGES.made("ward").clusters(POINTS, 5)
    whole = silhouette(Comm(), POINTS, label)
    sampled = silhouette(Comm(), POINTS, label, exact=2000)
    assert sampled.points == 2000
    assert 0 < abs(sampled.mean - whole.mean) < sampled.error < 0.01


def test_sizes_diameters_and_neighbours_agree_with_all_distances():
    z = POINTS[:1300]
    label = LINKAGES.made("average").clusters(z, 7)
    found = quality(Comm(), z, label)
    d = exact(z)
    np.testing.assert_array_equal(found.size, np.bincount(label))
    np.testing.assert_allclose(found.diameter, [d[np.ix_(label == c, label == c)].max() for c in range(7)], atol=1e-12)
    np.fill_diagonal(d, 9)
    assert found.neighbours == (label[d.argmin(1)] == label).mean()


def test_sizes_count_clusters_that_a_rank_has_none_of():
    np.testing.assert_array_equal(sizes(Comm(), np.array([3, 1, 3])), [0, 1, 0, 2])
