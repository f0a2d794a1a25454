"""Tiles computed once and kept: two to three times faster a step, for 4 or 8 bytes an entry."""

from __future__ import annotations

import numpy as np

from mpiflow.engine import tiles
from mpiflow.engine.streamed import Streamed


class Resident(Streamed):
    """u = K(targets, sources) v from stored tiles, bit for bit what `Streamed` computes."""

    name = "resident"

    def __init__(self, kernel, targets: np.ndarray, sources: np.ndarray, precision: str = "float64"):
        super().__init__(kernel, targets, sources, precision)
        groups, _, width = self.targets.shape
        self.tiles = np.empty((groups, len(self.sources), width), precision)
        where = [array.ctypes.data for array in (self.targets, self.sources, self.parameters, self.tiles)]
        tiles.filled(self.profile)(*where, groups, len(self.sources))

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return super().bytes + self.tiles.nbytes

    @classmethod
    def holds(cls, kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """As of `Streamed`."""
        return super().holds(kernel, n, shape, precision, kept) + shape[0] * shape[1] * np.dtype(precision).itemsize

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return self.shape[0] * self.shape[1] * 18

    def _multiply(self, v: np.ndarray, out: np.ndarray) -> None:
        v = np.ascontiguousarray(tiles.even(v), self.precision)
        where = [array.ctypes.data for array in (self.tiles, v, out)]
        tiles.multiplied(self.precision, v.shape[1])(*where, len(out), len(v))
