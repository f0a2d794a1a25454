"""Mini-batches of the data set: batch b is points [bM, (b+1)M), whichever rank holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow.comm import Comm
from mpiflow.ranks.shards import split


@dataclass(frozen=True)
class Batches:
    """`total` points in batches of `batch` (the last may be short), whole batches spread over the ranks in order."""

    comm: Comm
    total: int
    batch: int

    @property
    def count(self) -> int:
        """Number of batches."""
        return -(-self.total // self.batch)

    @property
    def mine(self) -> range:
        """Batches of this rank, maybe none."""
        return self.of(self.comm.rank)

    def of(self, rank: int) -> range:
        """Batches of a rank."""
        return split(self.count, self.comm.size, rank)

    def owner(self, batch: int) -> int:
        """Rank that holds a batch."""
        return owner(self.count, self.comm.size, batch)

    def size(self, batch: int) -> int:
        """Points of a batch."""
        return min(self.batch, self.total - batch * self.batch)

    def rows(self, batch: int) -> slice:
        """Rows of an own batch among this rank's points."""
        start = (batch - self.mine.start) * self.batch
        return slice(start, start + self.size(batch))

    def everywhere(self, rows: np.ndarray, batch: int) -> np.ndarray:
        """One batch's rows, on every rank. rows: (n_r, ...), those of this rank's points. Collective."""
        own = rows[self.rows(batch)] if batch in self.mine else rows[:0]
        return self.comm.allgather_rows(own)


def owner(batches: int, ranks: int, batch: int) -> int:
    """The rank whose share `shards.split` of the batches holds this one."""
    return ((batch + 1) * ranks - 1) // batches
