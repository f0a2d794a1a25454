"""Halos: the points outside a cluster that a narrow kernel can feel inside, by bounding balls first, then points."""

from __future__ import annotations

import numpy as np

from mpiflow.clustering.distances import COLUMNS, Tile, factors
from mpiflow.geometry.projective import distances, embedding
from mpiflow.hermitian import from_reals
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import Layout

# Rounding of a distance from a Gram product; balls that miss each other by less are looked into.
_SLACK = 1e-7


def with_halo(layout: Layout, z: np.ndarray, reach: float) -> list[np.ndarray]:
    """Members and halo of each cluster: ascending point numbers, the same on every rank. Collective; as `halo`."""
    found = halo(layout, z, reach)
    return [np.sort(np.concatenate(lists)) for lists in zip(layout.members, found, strict=True)]


def halo(layout: Layout, z: np.ndarray, reach: float) -> list[np.ndarray]:
    """Points outside each cluster within `reach` of one of its members: ascending numbers, the same on every rank.

    z: (n_r, n+1) complex, this rank's rows of the layout. reach: Fubini-Study distance. The cost is that of the
    distances between the members of a cluster and the points that its bounding ball, widened by reach, holds. Every bit
    depends on tiles alone, so that the lists do not depend on the ranks. Collective.
    """
    row, cluster = _near_balls(layout, z, reach)
    candidates = _lists(layout, layout.rows[row], cluster)
    mine = sorted({c for c, _ in layout.runs})
    wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *(candidates[c] for c in mine)]))
    right = factors(Exchange(layout.comm, layout.rows, wanted)(z))[1]
    felt = {c: np.zeros(len(candidates[c]), bool) for c in mine}
    for tile, rows in _tiles(layout):
        at = np.searchsorted(wanted, candidates[tile.cluster])
        felt[tile.cluster] |= _within(factors(z[rows])[0], right[at], reach)
    number = np.concatenate([np.zeros(0, np.int64), *(candidates[c][felt[c]] for c in mine)])
    return _lists(layout, number, np.repeat(mine, [felt[c].sum() for c in mine]).astype(np.int64))


def balls(layout: Layout, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounding balls of the clusters: centres (C, n+1) complex, any point of P^n, and radii (C,). Collective."""
    partial = [embedding(z[rows]).sum(0) for _, rows in _tiles(layout)]
    numbers = np.array([tile.number for tile in layout.tiles], np.int64)
    order = np.argsort(layout.comm.allgather_rows(numbers))
    partial = layout.comm.allgather_rows(np.array(partial).reshape(-1, z.shape[1] ** 2))[order]
    cluster = layout.comm.allgather_rows(np.array([tile.cluster for tile in layout.tiles], np.int64))[order]
    moment = np.zeros((layout.count, z.shape[1] ** 2))
    np.add.at(moment, cluster, partial)
    # The point whose mean overlap with the members is largest: the first eigenvector of their mean P(z).
    centre = np.linalg.eigh(from_reals(moment))[1][:, :, -1]
    radius = np.zeros(layout.count)
    for tile, rows in _tiles(layout):
        radius[tile.cluster] = max(radius[tile.cluster], distances(z[rows], centre[tile.cluster, None]).max())
    return centre, np.max(layout.comm.allgather(radius), axis=0)


def _near_balls(layout: Layout, z: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Own rows, and clusters not theirs of which the ball widened by reach holds them. Collective."""
    centre, radius = balls(layout, z)
    meet = distances(centre, centre) <= radius[:, None] + radius[None] + reach + _SLACK
    np.fill_diagonal(meet, False)
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for tile, rows in _tiles(layout):
        others = np.flatnonzero(meet[tile.cluster])
        row, other = np.nonzero(distances(z[rows], centre[others]) <= radius[others] + reach + _SLACK)
        found.append((row + rows.start, others[other]))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def _within(left: np.ndarray, right: np.ndarray, reach: float) -> np.ndarray:
    """Which right points lie within reach of a left one: factors of a tile and of M points to (M,) bool."""
    tile = Tile()
    blocks = [slice(start, start + COLUMNS) for start in range(0, len(right), COLUMNS)]
    near = [(tile.distances(left, right[block]) <= reach).any(0) for block in blocks]
    return np.concatenate([np.zeros(0, bool), *near])


def _tiles(layout: Layout):
    """Own tiles with their slices of the own rows."""
    start = 0
    for tile in layout.tiles:
        stop = start + tile.stop - tile.start
        yield tile, slice(start, stop)
        start = stop


def _lists(layout: Layout, number: np.ndarray, cluster: np.ndarray) -> list[np.ndarray]:
    """Ascending numbers of each cluster without repeats, from (number, cluster) pairs of all ranks. Collective."""
    key = np.unique(layout.comm.allgather_rows(cluster * layout.total + number))
    cuts = np.searchsorted(key, np.arange(1, layout.count) * layout.total)
    return np.split(key % max(layout.total, 1), cuts)
