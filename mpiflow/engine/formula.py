"""Kernels that no register knows: tiles by their formula on whole arrays, of numpy or of a device's library."""

from __future__ import annotations

import numpy as np

from mpiflow.backend import HOST, Device, joined
from mpiflow.engine.tiles import SOURCES, power_of_two
from mpiflow.errors import InputError
from mpiflow.kernels.kernel import Kernel

# Rows of a tile, the unit that ranks own: a last one is filled up, so that a row's bits know neither rank nor engine.
_TILE = 128


class Formula:
    """u = K(targets, sources) v, tile by tile; memory for the points and one tile.

    targets: (N, n+1), sources: (M, n+1) complex, patch-scaled. The formula is evaluated in float64; precision: of the tiles
    that are multiplied, 1024 sources at a time, whose sums are added in float64.
    """

    name = "streamed"

    def __init__(self, kernel: Kernel, targets: np.ndarray, sources: np.ndarray, precision: str, device: Device = HOST):
        self.kernel, self.precision, self.device = kernel, precision, device
        self.shape = (len(targets), len(sources))
        starts = range(0, len(targets), _TILE)
        self.targets = [device.put(targets[np.minimum(np.arange(s, s + _TILE), len(targets) - 1)]) for s in starts]
        self.sources = [device.put(sources[s : s + SOURCES]) for s in range(0, len(sources), SOURCES)]

    def apply(self, v):
        """u = K v. v: (M, c) float64, on the host or the device. Returns (N, c) float64 where v lies."""
        if isinstance(v, np.ndarray) and self.device is not HOST:
            return self.device.fetch(self.apply(self.device.put(np.ascontiguousarray(v))))
        if not all(self.shape):
            return self.device.zeros((self.shape[0], v.shape[1]), "float64")
        with np.errstate(invalid="ignore"):
            found = joined(self.device.xp, self._sums(v))[: self.shape[0], :]
        xp = self.device.xp
        if not bool(xp.all(xp.isfinite(found))):
            self._blame()
        return found

    def _blame(self) -> None:
        """Raise InputError where tiles are to blame for sums that are not finite: a user's was tried on few points."""
        xp = self.device.xp
        for tile, parts in enumerate(self._row(k) for k in range(len(self.targets))):
            for part, entries in enumerate(parts):
                if bool(xp.any(bad := ~xp.isfinite(entries))):
                    row, column = (int(axis[0]) for axis in xp.nonzero(bad)[-2:])
                    raise InputError(
                        f'kernel.name = "{self.kernel.name}": its tile is {float(entries[bad][0])} in {self.precision}, e.g. '
                        f"of target {tile * _TILE + row} and source {part * SOURCES + column}; it must be finite at all "
                        "pairs of points"
                    )

    def _sums(self, v) -> list:
        """u of each tile of targets."""
        xp = self.device.xp
        unit = power_of_two(float(xp.max(xp.abs(v))))
        parts = [self._short(part / unit) for part in self._cut(v)]
        return [
            sum(self._wide(_times(tile, part)) for tile, part in zip(self._row(k), parts, strict=True)) * unit
            for k in range(len(self.targets))
        ]

    def _cut(self, v) -> list:
        """Its rows as the sources are cut."""
        return [v[s : min(s + SOURCES, self.shape[1]), :] for s in range(0, self.shape[1], SOURCES)]

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return 16 * sum(np.prod(points.shape, dtype=int) for points in self.targets + self.sources)

    @classmethod
    def holds(cls, kernel: Kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """As of `engine.streamed.Streamed`."""
        return 16 * (n + 1) * sum(shape)

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns, with those of an inner product for the formula."""
        return self.shape[0] * self.shape[1] * (18 + 8 * self.sources[0].shape[1])

    def _row(self, number: int) -> list:
        """The tiles of 128 targets, source by source."""
        return [self._short(self._tile(self.targets[number], y)) for y in self.sources]

    def _tile(self, x, y):
        """A tile of the formula. Raises InputError for an array that is none: a user's was tried on few points alone."""
        found = self.device.xp.asarray(self.kernel.tile(x, y, self.device.xp))
        wanted = (x.shape[0], y.shape[0])
        if found.shape[-2:] != wanted or "float" not in str(found.dtype):
            raise InputError(
                f'kernel.name = "{self.kernel.name}": tile of {wanted[0]} and {wanted[1]} points is {found.dtype}'
                f"{list(found.shape)}; it must be float64{list(wanted)}"
            )
        return found

    def _short(self, array):
        return self.device.xp.asarray(array, dtype=getattr(self.device.xp, self.precision))

    def _wide(self, array):
        return self.device.xp.asarray(array, dtype=self.device.xp.float64)


class KeptFormula(Formula):
    """u = K(targets, sources) v from tiles that are kept, bit for bit what `Formula` computes."""

    name = "resident"

    def __init__(self, kernel: Kernel, targets: np.ndarray, sources: np.ndarray, precision: str, device: Device = HOST):
        super().__init__(kernel, targets, sources, precision, device)
        self.tiles = [super(KeptFormula, self)._row(number) for number in range(len(self.targets))]

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        entries = self.kernel.copies * len(self.targets) * _TILE * self.shape[1]
        return super().bytes + entries * np.dtype(self.precision).itemsize

    @classmethod
    def holds(cls, kernel: Kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """As of `engine.streamed.Streamed`."""
        entries = kernel.copies * shape[0] * shape[1]
        return super().holds(kernel, n, shape, precision, kept) + entries * np.dtype(precision).itemsize

    def _row(self, number: int) -> list:
        return self.tiles[number]


def _times(tile, v):
    """A tile (N, M) times v (M, c), or the tile of each column (c, N, M) times that column: (N, c)."""
    return tile @ v if tile.ndim == 2 else (tile @ v.T[:, :, None])[:, :, 0].T
