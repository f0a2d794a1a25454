"""Halos hold every point within reach and no other; what they leave out is less than the tolerance."""

import numpy as np
import pytest
from surfaces import fermat

from mpiflow.clustering.clusters import cluster
from mpiflow.clustering.halo import balls, halo, with_halo
from mpiflow.comm import Comm
from mpiflow.geometry.projective import distance, distances
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import TRAIN, chunk, sample

POINTS = chunk(fermat(4), 4, TRAIN, 0, None).z[:1500]
LABEL = cluster(Comm(), POINTS, 0, 1500, count=6, batch=500).label
D = distance(POINTS[:, None], POINTS[None])


def laid_out():
    layout = Layout(Comm(), LABEL, 6, [1.0] * 6)
    return layout, POINTS[layout.rows]


def test_bounding_balls_hold_their_clusters():
    centre, radius = balls(*laid_out())
    for c in range(6):
        d = distance(POINTS[LABEL == c], centre[c][None])
        assert d.max() == pytest.approx(radius[c], abs=1e-7)
        assert d.max() < D[np.ix_(LABEL == c, LABEL == c)].max()


@pytest.mark.parametrize("reach", [0.0, 0.15, 0.3, 2.0])
def test_a_halo_is_what_lies_within_reach_of_a_member(reach):
    found = halo(*laid_out(), reach)
    for c in range(6):
        near = D[LABEL == c].min(0) <= reach
        np.testing.assert_array_equal(found[c], np.flatnonzero(near & (LABEL != c)))


def test_sources_are_members_and_halo_in_ascending_order():
    layout, z = laid_out()
    for c, sources in enumerate(with_halo(layout, z, 0.2)):
        assert (np.diff(sources) > 0).all()
        assert set(sources) == set(layout.members[c]) | set(halo(layout, z, 0.2)[c])


def test_one_cluster_has_no_halo():
    layout = Layout(Comm(), np.zeros(1500, int), 1, [1.0])
    assert [len(found) for found in halo(layout, POINTS, 0.5)] == [0]


@pytest.mark.parametrize("width", [0.1, 0.2])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_what_a_halo_leaves_out_is_below_the_tolerance(width, tolerance):
    v = np.random.default_rng(1).normal(size=1500)
    K = np.exp(-(D**2) / (2 * width**2))
    for c, sources in enumerate(with_halo(*laid_out(), Gaussian(width).reach(tolerance))):
        missing = (K[LABEL == c] @ v - K[LABEL == c][:, sources] @ v[sources]) / 1500
        assert np.abs(missing).max() <= tolerance * np.abs(v).mean()


@pytest.mark.parametrize("width", [0.1, 0.2])
def test_an_update_through_halos_is_within_the_tolerance_that_none_misses_tenfold(width):
    z, tolerance = sample(Comm(), fermat(4), 2000, 4, TRAIN, (0, 1))[1].z, 1e-3
    layout = Layout(Comm(), cluster(Comm(), z, 0, 2000, count=10, batch=1000).label, 10, [1.0] * 10)
    lists = with_halo(layout, z[layout.rows], Gaussian(width).reach(tolerance))
    K = np.exp(-(distances(z, z) ** 2) / (2 * width**2))
    v = np.random.default_rng(2).normal(size=(2000, 9))

    def missed(lists):
        u = np.empty_like(v)
        for own, sources in zip(layout.members, lists, strict=True):
            u[own] = K[np.ix_(own, sources)] @ v[sources]
        return np.linalg.norm(u - K @ v) / np.linalg.norm(K @ v)

    assert missed(lists) < tolerance
    assert missed(layout.members) > 10 * tolerance
    assert sum(map(len, lists)) < 0.7 * layout.count * layout.total


def test_a_wide_cluster_is_felt_from_its_edge():
    """Both balls count: the centres are further apart than one radius and the reach."""
    angle = np.array([0.0, 0.4, 0.5, 0.9])
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(complex)
    layout = Layout(Comm(), np.array([0, 0, 1, 1], np.int32), 2, [1.0, 1.0])
    assert [found.tolist() for found in halo(layout, z, 0.15)] == [[2], [1]]
