"""Tiles computed in registers and multiplied at once: the kernel never exists in memory."""

from __future__ import annotations

import numpy as np

from mpiflow.engine import tiles
from mpiflow.engine.near_pairs import correction
from mpiflow.vector.machine import grouped

#: Columns a pass: more accumulators than this do not fit into the registers.
COLUMNS = 16


class Streamed:
    """u = K(targets, sources) v, tile by tile; memory for the points alone.

    targets: (N, n+1), sources: (M, n+1) complex, patch-scaled. precision: of the tiles; sums over stretches of
    sources are float64 in both. Error over the largest entry: float64 1e-13, float32 2e-6.
    """

    name = "streamed"

    def __init__(self, kernel, targets: np.ndarray, sources: np.ndarray, precision: str = "float64"):
        self.precision, self.shape = precision, (len(targets), len(sources))
        self.profile = kernel.profile(targets.shape[1] - 1, precision)
        records, self.left = self.profile.records(kernel, targets)
        self.targets = grouped(records, precision)
        records, self.right = self.profile.records(kernel, sources)
        self.sources = np.ascontiguousarray(tiles.even(records), precision)
        self.parameters = np.array(self.profile.parameters(kernel, kernel.floor(precision)), precision)
        self.near = correction(kernel, targets, sources, precision)

    def apply(self, v: np.ndarray) -> np.ndarray:
        """u = K v. v: (M, c) float64. Returns (N, c) float64."""
        if not all(self.shape):
            return np.zeros((self.shape[0], v.shape[1]))
        u = np.concatenate([self._columns(v[:, c : c + COLUMNS]) for c in range(0, v.shape[1], COLUMNS)], axis=1)
        return u if self.near is None else u + self.near @ v

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return self.targets.nbytes + self.sources.nbytes

    @classmethod
    def holds(cls, kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """About the `bytes` of an engine for so many targets and sources in P^n; kept: `kept_fraction`."""
        return sum(shape) * kernel.profile(n, precision).numbers * np.dtype(precision).itemsize

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return self.shape[0] * self.shape[1] * (self.profile.flops + 18)

    def _columns(self, v: np.ndarray) -> np.ndarray:
        weighted = v * self.right[:, None]
        unit = tiles.power_of_two(np.abs(weighted).max(initial=0.0))
        out = np.zeros((len(self.targets), v.shape[1], self.targets.shape[2]))
        self._multiply(weighted / unit, out)
        return tiles.ungrouped(out, self.shape[0]) * (self.left * unit)[:, None]

    def _multiply(self, v: np.ndarray, out: np.ndarray) -> None:
        y = np.concatenate([self.sources, tiles.even(v.astype(self.precision))], axis=1)
        where = [array.ctypes.data for array in (self.targets, y, self.parameters, out)]
        tiles.streamed(self.profile, v.shape[1])(*where, len(out), len(y))
