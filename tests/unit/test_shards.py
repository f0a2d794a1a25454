"""Ownership: every row has one owner, whole tiles stay together, costs are balanced."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpiflow.comm import Comm
from mpiflow.ranks.shards import BALANCED, TILE, Layout, members, owners, split, tiles


def dense(sizes):
    """Costs of a row of dense blocks."""
    return [float(size) for size in sizes]


@given(st.integers(0, 50), st.integers(1, 12))
def test_shares_cover_everything_once_and_evenly(total, ranks):
    shares = [split(total, ranks, rank) for rank in range(ranks)]
    assert [unit for share in shares for unit in share] == list(range(total))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(st.lists(st.integers(0, 4), max_size=60))
def test_members_are_ascending_and_complete(label):
    found = members(np.array(label, int), 5)
    assert [list(member) for member in found] == [[i for i, c in enumerate(label) if c == k] for k in range(5)]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=9))
def test_tiles_cut_clusters_into_whole_tiles(sizes):
    cut = tiles(sizes)
    assert [tile.number for tile in cut] == list(range(len(cut)))
    for c, size in enumerate(sizes):
        rows = [row for tile in cut if tile.cluster == c for row in range(tile.start, tile.stop)]
        assert rows == list(range(size))
    assert all(tile.start % TILE == 0 and 0 < tile.stop - tile.start <= TILE for tile in cut)


def test_a_cluster_of_ten_times_the_mean_is_split_into_balanced_loads():
    sizes = [20_000] + [1_000 - 50 * k + 475 for k in range(19)]
    assert sizes[0] / np.mean(sizes) > 9
    assert owners(tiles(sizes), dense(sizes), 4)[1] < 1.1


def test_three_equal_clusters_are_balanced_on_two_ranks():
    owner, imbalance = owners(tiles([4096] * 3), dense([4096] * 3), 2)
    assert imbalance <= BALANCED
    assert len(np.unique(owner)) == 2


def test_clusters_stay_whole_where_that_is_balanced():
    cut = tiles([1280] * 20)
    owner, imbalance = owners(cut, dense([1280] * 20), 4)
    assert imbalance == 1
    assert all(len({owner[t.number] for t in cut if t.cluster == c}) == 1 for c in range(20))


@given(st.lists(st.integers(5_000, 60_000), min_size=1, max_size=20), st.integers(1, 8))
def test_large_clusters_are_balanced_on_any_number_of_ranks(sizes, ranks):
    cut = tiles(sizes)
    owner, imbalance = owners(cut, dense(sizes), ranks)
    price = [sizes[t.cluster] * (t.stop - t.start) for t in cut]
    loads = np.bincount(owner, price, ranks)
    assert imbalance == pytest.approx(loads.max() / loads.mean())
    assert imbalance < 1.15


def test_no_points_and_more_ranks_than_tiles_have_owners_too():
    assert owners([], [], 3)[1] == 1
    owner, imbalance = owners(tiles([200]), [1.0], 5)
    assert sorted(owner) == [0, 1] and imbalance == pytest.approx(128 / 40)


def test_a_layout_owns_each_row_once_in_runs_of_one_cluster():
    label = np.random.default_rng(0).integers(0, 4, 1000)
    layout = Layout(Comm(), label, 4, [1.0] * 4)
    np.testing.assert_array_equal(np.sort(layout.rows), np.arange(1000))
    for cluster, run in layout.runs:
        np.testing.assert_array_equal(layout.rows[run], np.flatnonzero(label == cluster))
    np.testing.assert_array_equal(layout.gather(layout.rows), np.arange(1000))
    np.testing.assert_array_equal(layout.label(), label)


def test_a_layout_sums_over_its_points():
    label = np.arange(700) % 3
    layout = Layout(Comm(), label, 3, [1.0] * 3)
    np.testing.assert_allclose(layout.sum(np.sqrt(layout.rows)), np.sqrt(np.arange(700)).sum(), rtol=1e-14)


def test_the_dearest_is_dealt_out_first():
    owner, imbalance = owners(tiles([20, 20, 100, 20, 20, 20]), [1.0] * 6, 2)
    assert imbalance == 1.0 and [int(rank == owner[2]) for rank in owner] == [0, 0, 1, 0, 0, 0]
