"""Global rows and tiles to ranks: the one place that knows the number of ranks."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from mpiflow import clock
from mpiflow.comm import Comm

#: Rows of a tile, the unit in which ranks own rows. The bits of a row may depend on its tile, never on its rank.
TILE = 128
#: An imbalance that needs no more splitting of clusters, each split of which costs an exchange.
BALANCED = 1.1


@dataclass(frozen=True)
class Tile:
    """Rows [start, stop) of the members of one cluster; `number` counts all tiles of all clusters."""

    number: int
    cluster: int
    start: int
    stop: int


def members(label: np.ndarray, count: int) -> list[np.ndarray]:
    """Ascending point numbers of each cluster: (N,) int labels to `count` arrays."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(1, count)))


def tiles(sizes: list[int]) -> list[Tile]:
    """All tiles of clusters of the given sizes, cluster by cluster; only a cluster's last tile may be short."""
    cuts = [(c, start, min(start + TILE, size)) for c, size in enumerate(sizes) for start in range(0, size, TILE)]
    return [Tile(number, *cut) for number, cut in enumerate(cuts)]


def split(total: int, ranks: int, rank: int) -> range:
    """The contiguous share of `total` units that a rank owns; sizes differ by one at most."""
    return range(total * rank // ranks, total * (rank + 1) // ranks)


def owners(all_tiles: list[Tile], cost: list[float], ranks: int) -> tuple[np.ndarray, float]:
    """Rank of each tile, and the imbalance (maximum over mean cost of a rank).

    cost: of one row of each cluster. Largest first, a cluster goes whole to the least loaded rank; clusters that cost
    more than a fair share are split by tiles first, and smaller ones too while the imbalance exceeds BALANCED.
    """
    price = np.array([cost[tile.cluster] * (tile.stop - tile.start) for tile in all_tiles])
    cluster = np.array([tile.cluster for tile in all_tiles], np.int64)
    runs = [np.flatnonzero(cluster == c) for c in np.unique(cluster)]
    fair = price.sum() / ranks
    best, least = np.zeros(len(all_tiles), np.int64), np.inf
    for limit in (fair, fair / 2, fair / 4, fair / 8, fair / 16):
        owner, heaviest = _dealt([part for run in runs for part in _pieces(run, price, limit)], price, ranks)
        if heaviest < least:
            best, least = owner, heaviest
        if least <= BALANCED * fair:
            break
    return best, least / fair if fair else 1.0


def _pieces(run: np.ndarray, price: np.ndarray, limit: float) -> list[np.ndarray]:
    """Tiles of a cluster that move together: all of them, or equal numbers of them that cost at most about `limit`."""
    pieces = int(np.ceil(price[run].sum() / limit)) if limit else 1
    return np.array_split(run, max(1, min(len(run), pieces)))


def _dealt(parts: list[np.ndarray], price: np.ndarray, ranks: int) -> tuple[np.ndarray, float]:
    """Rank of each tile when the largest part goes to the least loaded rank, and the largest load."""
    loads = [(0.0, rank) for rank in range(ranks)]
    owner = np.zeros(len(price), np.int64)
    for part in sorted(parts, key=lambda part: -price[part].sum()):
        load, rank = heapq.heappop(loads)
        owner[part] = rank
        heapq.heappush(loads, (load + price[part].sum(), rank))
    return owner, max(loads)[0]


class Layout:
    """Which rows of a point set this rank owns: whole tiles of clusters, dealt out by cost.

    label: (N,) int, the cluster of every point, the same on every rank. cost: of one row of each cluster.
    rows: (n_r,) int64, numbers of the own points, tile by tile. runs: (cluster, slice of the own rows), the consecutive
    own tiles of one cluster. imbalance: maximum over mean cost of a rank.
    """

    def __init__(self, comm: Comm, label: np.ndarray, count: int, cost: list[float]):
        self.comm, self.count, self.total = comm, count, len(label)
        self.members = members(label, count)
        every = tiles([len(member) for member in self.members])
        owner, self.imbalance = owners(every, cost, comm.size)
        self.tiles = [tile for tile in every if owner[tile.number] == comm.rank]
        parts = [self.members[tile.cluster][tile.start : tile.stop] for tile in self.tiles]
        self.rows = np.concatenate([np.zeros(0, np.int64), *parts])
        self._starts = np.cumsum([0] + [len(part) for part in parts])[:-1].astype(np.int64)
        self.runs = self._runs()

    def _runs(self) -> list[tuple[int, slice]]:
        runs = []
        for tile, start in zip(self.tiles, self._starts, strict=True):
            stop = int(start) + tile.stop - tile.start
            if runs and runs[-1][0] == tile.cluster:
                runs[-1] = (tile.cluster, slice(runs[-1][1].start, stop))
            else:
                runs.append((tile.cluster, slice(int(start), stop)))
        return runs

    def label(self) -> np.ndarray:
        """Cluster of every point: (N,) int32."""
        label = np.empty(self.total, np.int32)
        for c, member in enumerate(self.members):
            label[member] = c
        return label

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum over all points of per-point values (n_r, ...) of the own rows, added tile by tile in global order."""
        values = np.asarray(values, np.float64)
        partials = np.zeros((len(self.tiles), *values.shape[1:]))
        if len(self.tiles):
            partials = np.add.reduceat(values, self._starts, axis=0)
        with clock.part("allreduce"):
            return self.comm.sum([tile.number for tile in self.tiles], partials)

    def gather(self, values: np.ndarray) -> np.ndarray | None:
        """Per-point values (n_r, ...) of all ranks in point order (N, ...), on rank 0; None elsewhere."""
        rows, values = self.comm.gather_rows(self.rows), self.comm.gather_rows(values)
        if rows is None:
            return None
        ordered = np.empty_like(values)
        ordered[rows] = values
        return ordered
