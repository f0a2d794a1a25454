"""A symmetric kernel at the points of one set on a GPU: each pair of points computed once, for both of its products."""

from __future__ import annotations

from functools import cache

import numpy as np

from mpiflow.backend import Device, joined
from mpiflow.engine import tiles
from mpiflow.engine.cuda_loops import OPTIONS, THREADS
from mpiflow.engine.cuda_pairs import Pairs
from mpiflow.engine.symmetric import dealt, unit_of

# Columns a pass: what 48 kB of shared memory hold beside a tile.
_COLUMNS = 12


class DeviceSymmetric:
    """A share of u = K(points, points) v, as `engine.symmetric.Symmetric`, whose v and sums lie on a device.

    points: (N, n+1) complex, patch-scaled, the same on all ranks. part, parts: which of the shares of the pairs this is.
    Entries have the tile's precision, and so have sums of one block of points by row and of a slice of one by column; all else
    is float64 or integers.
    """

    name = "symmetric"

    def __init__(self, kernel, points: np.ndarray, precision: str, device: Device, part: int = 0, parts: int = 1):
        self.precision, self.count, self.device = precision, len(points), device
        self.profile = kernel.profile(points.shape[1] - 1, precision)
        records, self.factors = self.profile.records(kernel, points)
        # Blocks are whole: what fills the last one up has no weight.
        blocks = -(-len(points) // Pairs(self.profile, 1).block)
        missing = blocks * Pairs(self.profile, 1).block - len(points)
        records = np.concatenate([records, np.broadcast_to(records[:1], (missing, records.shape[1]))])
        self.records = device.put(np.ascontiguousarray(records, precision))
        self.weights = device.put(np.concatenate([self.factors, np.zeros(missing)])[:, None])
        self.pairs = device.put(dealt(blocks, part, parts).astype(np.int32))
        number = np.dtype(precision).type
        self.parameters = [number(p) for p in self.profile.parameters(kernel, kernel.floor(precision))]
        # Positive definite kernels are largest on the diagonal, and Gaussians are at most 1.
        self.largest = float((kernel.diagonal(points) / self.factors**2).max())

    def shares(self, v):
        """What this share gives, (N, c) int64, and the unit of its integers. v: (N, c) float64, the same on all ranks.

        u is the sum of all shares times the unit times `factors`. Where v is not finite, the unit is NaN.
        """
        xp = self.device.xp
        whole = self.device.zeros((self.weights.shape[0] - self.count, v.shape[1]), "float64")
        weighted = joined(xp, [v, whole]) * self.weights
        bound = self.largest * float(xp.sum(xp.max(xp.abs(weighted), axis=1)))
        if not np.isfinite(bound):
            return self.device.zeros(v.shape, "int64"), np.nan
        unit = unit_of(bound)
        cuts = range(0, v.shape[1], _COLUMNS)
        found = [self._columns(weighted[:, c : min(c + _COLUMNS, v.shape[1])], unit) for c in cuts]
        return (found[0] if len(found) == 1 else joined(xp, found, axis=1))[: self.count, :], unit

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        item = np.dtype(self.precision).itemsize
        return self.weights.shape[0] * (self.profile.numbers * item + 8) + 8 * self.pairs.shape[0]

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return self.pairs.shape[0] * Pairs(self.profile, 9).block ** 2 * (self.profile.flops + 36)

    def _columns(self, v, unit: float):
        xp, columns, numbers = self.device.xp, v.shape[1], self.profile.numbers
        near_one = tiles.power_of_two(float(xp.max(xp.abs(v))))
        pairs = Pairs(self.profile, columns)
        y = self.device.zeros((v.shape[0], pairs.record), self.precision)
        y[:, :numbers] = self.records
        y[:, numbers : numbers + columns] = xp.asarray(v / near_one, dtype=y.dtype)
        out = self.device.zeros((v.shape[0], columns), "int64")
        arguments = (y, out, self.pairs, np.float64(near_one / unit), *self.parameters)
        if self.pairs.shape[0]:
            _paired(self.device, self.profile, columns)((self.pairs.shape[0], 1), (THREADS,), arguments)
        return out


@cache
def _paired(device: Device, profile, columns: int):
    return device.kernel(Pairs(profile, columns).text, "paired", OPTIONS[profile.precision])
