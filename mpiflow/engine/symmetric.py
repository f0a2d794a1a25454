"""A symmetric kernel at the points of one set: each pair of points computed once, for both of its products."""

from __future__ import annotations

import numpy as np

from mpiflow.engine import tile_pairs, tiles
from mpiflow.engine.streamed import COLUMNS
from mpiflow.engine.tile_pairs import BLOCK
from mpiflow.vector.machine import grouped

#: Bits that sums in fixed point may take: of 63, one is left for rounding and one for kernels not quite below their bound.
_BITS = 61
# Least unit: its inverse must be a number.
_LEAST = 2.0**-1000


class Symmetric:
    """A share of u = K(points, points) v: the sums of some pairs of blocks, in fixed point, which add up exactly.

    points: (N, n+1) complex, patch-scaled, the same on all ranks. part, parts: which of the shares of the pairs this is.
    Entries have the tile's precision, and so have sums of 128 of them by row and of 512 by column; all else is float64 or
    integers of 2^-60 of largest * sum |v| at most, rounded once for each of N / 512 blocks. Error over the largest entry as of
    `Streamed`, and 1e-12 where a kernel is so narrow that u is as small as v.
    """

    name = "symmetric"

    def __init__(self, kernel, points: np.ndarray, precision: str = "float64", part: int = 0, parts: int = 1):
        self.precision, self.count = precision, len(points)
        self.profile = kernel.profile(points.shape[1] - 1, precision)
        records, self.factors = self.profile.records(kernel, points)
        records = _whole(records, records[:1])
        self.targets, self.sources = grouped(records, precision), records.astype(precision)
        self.parameters = np.array(self.profile.parameters(kernel, kernel.floor(precision)), precision)
        self.pairs = dealt(len(records) // BLOCK, part, parts)
        # Positive definite kernels are largest on the diagonal, and Gaussians are at most 1.
        self.largest = float((kernel.diagonal(points) / self.factors**2).max())

    def shares(self, v: np.ndarray) -> tuple[np.ndarray, float]:
        """What this share gives, (N, c) int64, and the unit of its integers. v: (N, c) float64, the same on all ranks.

        u is the sum of all shares times the unit times `factors`. Integers know no NaN: where v is not finite, the unit is NaN.
        """
        weighted = v * self.factors[:, None]
        bound = self.largest * np.abs(weighted).max(1).sum()
        if not np.isfinite(bound):
            return np.zeros(v.shape, np.int64), np.nan
        unit = unit_of(bound)
        cuts = range(0, v.shape[1], COLUMNS)
        return np.concatenate([self._columns(weighted[:, c : c + COLUMNS], unit) for c in cuts], axis=1), unit

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return self.targets.nbytes + self.sources.nbytes + self.pairs.nbytes

    @classmethod
    def holds(cls, kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """As of `Streamed`: a share of the pairs has all points, as targets and as sources, and what the loop works in."""
        work = sum(array.nbytes for array in tile_pairs.workspace(precision, (n - 1) ** 2))
        return 2 * shape[1] * kernel.profile(n, precision).numbers * np.dtype(precision).itemsize + work

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return len(self.pairs) * BLOCK**2 * (self.profile.flops + 36)

    def _columns(self, v: np.ndarray, unit: float) -> np.ndarray:
        # Float32 tiles take v near 1; a power of two changes no bit.
        near_one = tiles.power_of_two(np.abs(v).max(initial=0.0))
        v = _whole(v / near_one, np.zeros((1, v.shape[1])))
        # Of one row numpy does not keep the order in memory.
        y = np.ascontiguousarray(np.concatenate([self.sources, v.astype(self.precision)], axis=1))
        scale = np.array([near_one / unit])
        out = np.zeros((len(self.targets), v.shape[1], self.targets.shape[2]), np.int64)
        work = tile_pairs.workspace(self.precision, v.shape[1])
        arrays = [self.targets, y, grouped(v, self.precision), self.parameters, *work, scale, out, self.pairs]
        tile_pairs.multiplied(self.profile, v.shape[1])(*(array.ctypes.data for array in arrays), len(self.pairs))
        return tiles.ungrouped(out, self.count)


def unit_of(bound: float) -> float:
    """The unit of integers that hold sums up to a bound."""
    return max(tiles.power_of_two(bound) * 2.0**-_BITS, _LEAST)


def dealt(blocks: int, part: int, parts: int) -> np.ndarray:
    """One of equal shares of the pairs (i, j), i <= j, of so many blocks: (n, 2) int64.

    Pairs are numbered by j - i = 1, 2, ..., and blocks with themselves, which take less, come last.
    """
    apart = np.append(np.arange(1, blocks), 0)
    ends = np.cumsum(blocks - apart)
    number = np.arange(part, ends[-1], parts)
    which = np.searchsorted(ends, number, side="right")
    first = number - (ends - blocks + apart)[which]
    return np.ascontiguousarray(np.stack([first, first + apart[which]], axis=1), np.int64)


def _whole(rows: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Rows (N, p) with copies of a row up to whole blocks."""
    return np.concatenate([rows, np.broadcast_to(row, (-len(rows) % BLOCK, rows.shape[1]))])
