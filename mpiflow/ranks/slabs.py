"""A grid cut into slabs along its first axis: each rank has the rows that follow each other, the first ranks one more."""

from __future__ import annotations

import numpy as np

from mpiflow.comm import Comm
from mpiflow.ranks.shards import split


class Slabs:
    """The rows of axis 0 of a grid that a rank has, and the columns of axis 1 of its spectra, as `grids.whole.Whole`.

    Collective but for its making. No bit depends on the number of ranks: rows are moved whole, and their numbers added in
    the order of all rows.
    """

    def __init__(self, comm: Comm, total: int, columns: int):
        self.comm, self.total = comm, total
        self._rows, self._columns = ([_cut(n, comm.size, r) for r in range(comm.size)] for n in (total, columns))
        self.rows, self.columns = self._rows[comm.rank], self._columns[comm.rank]

    def turned(self, spectrum: np.ndarray) -> np.ndarray:
        """(own rows, all columns, ...) to (all rows, own columns, ...)."""
        if self.comm.size == 1:
            return spectrum
        parts = self.comm.swap_rows([spectrum[:, cut].ravel() for cut in self._columns])
        own = self.columns.stop - self.columns.start
        shapes = [(cut.stop - cut.start, own, *spectrum.shape[2:]) for cut in self._rows]
        return np.concatenate([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])

    def returned(self, spectrum: np.ndarray) -> np.ndarray:
        """(all rows, own columns, ...) to (own rows, all columns, ...)."""
        if self.comm.size == 1:
            return spectrum
        parts = self.comm.swap_rows([spectrum[cut].ravel() for cut in self._rows])
        own = self.rows.stop - self.rows.start
        shapes = [(own, cut.stop - cut.start, *spectrum.shape[2:]) for cut in self._columns]
        return np.concatenate([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)], axis=1)

    def gathered(self, u: np.ndarray) -> np.ndarray:
        """Components on the own rows, (c, own rows, ...), on all of them."""
        return np.moveaxis(self.comm.allgather_rows(np.ascontiguousarray(np.moveaxis(u, 1, 0))), 0, 1).copy()

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """The sum of numbers of each own row, (own rows, ...), added in the order of all rows."""
        return self.comm.sum(np.arange(self.rows.start, self.rows.stop), rows)

    def least(self, value: float, where: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        """The least of a value of each rank, and where it is."""
        return min(self.comm.allgather((value, where)))


def _cut(total: int, ranks: int, rank: int) -> slice:
    share = split(total, ranks, rank)
    return slice(share.start, share.stop)
