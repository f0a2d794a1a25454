"""Global rows and tiles to ranks: the one place that knows the number of ranks."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from mpiflow.comm import Comm

#: Rows of a tile, the unit in which ranks own rows. The bits of a row may depend on its tile, never on its rank.
TILE = 128


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

    cost: of one row of each cluster. A cluster goes whole to the least loaded rank, largest first; one that costs more than
    a fair share is split by tiles first.
    """
    price = np.array([cost[tile.cluster] * (tile.stop - tile.start) for tile in all_tiles])
    fair = price.sum() / ranks
    loads = [(0.0, rank) for rank in range(ranks)]
    owner = np.zeros(len(all_tiles), np.int64)
    for part in sorted(_parts(all_tiles, price, fair), key=lambda part: -price[part].sum()):
        load, rank = heapq.heappop(loads)
        owner[part] = rank
        heapq.heappush(loads, (load + price[part].sum(), rank))
    mean = fair or 1.0
    return owner, max(load for load, _ in loads) / mean


def _parts(all_tiles: list[Tile], price: np.ndarray, fair: float) -> list[np.ndarray]:
    """Runs of tiles that move together: a whole cluster, or equal pieces of one too large for a fair share."""
    parts = []
    cluster = np.array([tile.cluster for tile in all_tiles])
    for c in np.unique(cluster):
        run = np.flatnonzero(cluster == c)
        pieces = min(len(run), int(np.ceil(price[run].sum() / fair))) if fair > 0 else 1
        parts += np.array_split(run, max(1, pieces))
    return parts


class Exchange:
    """Moves rows, known by global numbers, from the ranks that own them to those that want them; built once, used each step.

    owned, wanted: int64 numbers on this rank; a number is owned by exactly one rank and wanted by any.
    Raises KeyError for a wanted number that nobody owns.
    """

    def __init__(self, comm: Comm, owned: np.ndarray, wanted: np.ndarray):
        self.comm = comm
        numbers = comm.allgather_rows(np.asarray(owned, np.int64))
        counts = comm.allgather(len(owned))
        rank = np.repeat(np.arange(comm.size), counts)
        local = np.concatenate([np.arange(count) for count in counts])
        order = np.argsort(numbers, kind="stable")
        place = np.searchsorted(numbers[order], wanted)
        found = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(0, np.int64)
        if len(found) != len(wanted) or (numbers[found] != wanted).any():
            raise KeyError(f"no rank owns some of the {len(wanted)} wanted rows")
        by_rank = np.argsort(rank[found], kind="stable")
        self.back = np.argsort(by_rank)
        cuts = np.cumsum(np.bincount(rank[found], minlength=comm.size))[:-1]
        self.send = comm.swap_rows(np.split(local[found][by_rank], cuts))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n_owned, ...) of this rank's owned numbers to (n_wanted, ...) in the order of the wanted ones."""
        return np.concatenate(self.comm.swap_rows([rows[index] for index in self.send]))[self.back]

    @property
    def bytes_per_column(self) -> int:
        """Bytes of one float64 column that this rank sends to others at each call."""
        return 8 * sum(len(index) for rank, index in enumerate(self.send) if rank != self.comm.rank)
