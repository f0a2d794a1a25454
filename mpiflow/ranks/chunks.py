"""Points in fixed chunks of whole tiles, and sums over them in a fixed tree: no bit depends on the number of ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from mpiflow.comm import Comm
from mpiflow.ranks.shards import TILE

#: Points of a chunk: wide enough that a matrix product over it outweighs adding its result.
CHUNK = 4 * TILE
#: Those of a GPU, which is asked for each of them anew: where there are many points, up to so many times as wide.
_WIDER, _FEWEST = 16, 32


def wide(total: int) -> int:
    """Points of a chunk on a GPU: as many as leave some chunks to share out, whoever has them."""
    return max(CHUNK, min(_WIDER * CHUNK, 1 << max(total // _FEWEST, 1).bit_length() - 1))


class Chunks:
    """Points [0, total) in chunks of a length; each rank owns a contiguous run of whole chunks, rank 0 the first.

    numbers: range of own chunks. rows: (n,) int64, numbers of the own points.
    """

    def __init__(self, comm: Comm, total: int, length: int = CHUNK):
        self.comm, self.total, self.length, self.count = comm, total, length, -(-total // length)
        self._starts = [-(-self.count * rank // comm.size) for rank in range(comm.size + 1)]
        self.numbers = range(self._starts[comm.rank], self._starts[comm.rank + 1])
        self.rows = np.arange(min(self.numbers.start * self.length, total), min(self.numbers.stop * self.length, total))

    def each(self, *columns: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
        """Own rows chunk by chunk, columns (n, ...) cut to (length, ...), not to be written to; the last row fills up."""
        for number in self.numbers:
            start = (number - self.numbers.start) * self.length
            rows = slice(start, min(start + self.length, len(self.rows)))
            full = rows.stop == start + self.length
            take = rows if full else np.minimum(np.arange(start, start + self.length), len(self.rows) - 1)
            yield rows, [column[take] for column in columns]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum over all points of values (n, ...) of the own ones, on every rank."""
        values = np.asarray(values, np.float64)
        return self.comm.bcast(self.tree(values.shape[1:], (self.zeroed(v, r).sum(0) for r, (v,) in self.each(values))))

    def tree(self, shape: tuple[int, ...], partials: Iterable, fetch: Callable = np.asarray) -> np.ndarray | None:
        """Sum of one float64 array of a shape for every chunk of every rank, on rank 0; None elsewhere.

        fetch: from where they lie, once they are added there. Chunk 2j is added to 2j + 1, then pairs of pairs, and so on.
        Ranks add what lies within their own run, and send at most one array a level: never all partials to one place.
        """
        nodes: dict[tuple[int, int], np.ndarray] = {}
        for number, partial in zip(self.numbers, partials, strict=True):
            level, array = 0, partial
            while number & 1 and (level, number - 1) in nodes:
                array = nodes.pop((level, number - 1)) + array
                level, number = level + 1, number >> 1
            nodes[level, number] = array
        nodes = {place: fetch(array) for place, array in nodes.items()}
        for level in range(max(self.count - 1, 0).bit_length()):
            self._climb(nodes, level, shape)
        return nodes.popitem()[1] if nodes else None

    def _climb(self, nodes: dict, level: int, shape: tuple[int, ...]) -> None:
        """Join the own nodes of a level with their right neighbours, here or on another rank."""
        gone = []
        for number in sorted(n for at, n in nodes if at == level and n & 1):
            owner = self._owner(number - 1, level)
            if owner != self.comm.rank:
                gone.append(self.comm.post(nodes.pop((level, number)), owner, level))
        for number in sorted(n for at, n in nodes if at == level and not n & 1):
            array = nodes.pop((level, number))
            if (number + 1) << level < self.count:
                owner = self._owner(number + 1, level)
                mine = owner == self.comm.rank
                wait = None if mine else self.comm.expect(shape, np.float64, owner, level)
                array = array + (nodes.pop((level, number + 1)) if mine else wait())
            nodes[level + 1, number >> 1] = array
        for wait in gone:
            wait()

    def _owner(self, number: int, level: int) -> int:
        return int(np.searchsorted(self._starts, number << level, side="right")) - 1

    @staticmethod
    def zeroed(values: np.ndarray, rows: slice) -> np.ndarray:
        """A chunk's column with zeros where it was only filled up."""
        values[rows.stop - rows.start :] = 0.0
        return values
