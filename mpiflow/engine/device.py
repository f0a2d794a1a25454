"""Engines whose points and tiles live on a GPU; v and u lie there, or on the host where they come from there.

What runs is the text of `cuda_loops`. On a CPU a test compiles it as C++, a thread of the machine for each of a block's.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from mpiflow.backend import Device, joined
from mpiflow.engine import cuda_loops, tiles
from mpiflow.engine.cuda_loops import OPTIONS, SPAN, THREADS, Loops, padded
from mpiflow.engine.near_pairs import correction
from mpiflow.engine.sparse import Sparse
from mpiflow.engine.streamed import COLUMNS


class DeviceSparse:
    """A matrix of few entries on a device."""

    def __init__(self, matrix: Sparse, device: Device):
        self.device, self.bytes = device, matrix.bytes
        self.arrays = [device.put(array) for array in (matrix.starts, matrix.columns, matrix.values)]

    def added(self, u, v):
        """u + A v, which takes the place of u: v (M, c), u (N, c) float64 on the device."""
        launch, rows = _added(self.device, v.shape[1]), np.int64(u.shape[0])
        launch((-(-u.shape[0] // THREADS), 1), (THREADS,), (*self.arrays, v, u, rows))
        return u


def corrections(kernel, targets, sources, precision: str, device: Device) -> DeviceSparse | None:
    """As `near_pairs.correction`, on a device."""
    near = correction(kernel, targets, sources, precision)
    return None if near is None else DeviceSparse(near, device)


class DeviceStreamed:
    """u = K(targets, sources) v by one fused kernel; memory for the points alone.

    targets: (N, n+1), sources: (M, n+1) complex, patch-scaled. precision: of the tiles; sums over stretches of sources are
    float64 in both. Error over the largest entry: float64 1e-13, float32 2e-6.
    """

    name = "streamed"

    def __init__(self, kernel, targets, sources, precision: str, device: Device):
        self.device, self.precision, self.shape = device, precision, (len(targets), len(sources))
        self.profile = kernel.profile(targets.shape[1] - 1, precision)
        records, left = self.profile.records(kernel, targets)
        self.targets, self.left = device.put(np.ascontiguousarray(records, precision)), device.put(left[:, None])
        records, right = self.profile.records(kernel, sources)
        self.sources, self.right = device.put(np.ascontiguousarray(records, precision)), device.put(right[:, None])
        number = np.dtype(precision).type
        self.parameters = [number(p) for p in self.profile.parameters(kernel, kernel.floor(precision))]
        self._joined = {}
        self.near = corrections(kernel, targets, sources, precision, device)

    def apply(self, v):
        """u = K v. v: (M, c) float64, on the host or the device. Returns (N, c) float64 where v lies."""
        if isinstance(v, np.ndarray):
            return self.device.fetch(self.apply(self.device.put(np.ascontiguousarray(v))))
        if not all(self.shape):
            return self.device.zeros((self.shape[0], v.shape[1]), "float64")
        cuts = [self._columns(v[:, c : min(c + COLUMNS, v.shape[1])]) for c in range(0, v.shape[1], COLUMNS)]
        u = cuts[0] if len(cuts) == 1 else joined(self.device.xp, cuts, axis=1)
        return u if self.near is None else self.near.added(u, v)

    @property
    def bytes(self) -> int:
        """Memory held on the device between steps: the points, and their records beside v once it was there."""
        kept = (self.targets, self.left, self.sources, self.right, *self._joined.values())
        return sum(self._bytes(array) for array in kept) + (self.near.bytes if self.near else 0)

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return self.shape[0] * self.shape[1] * (self.profile.flops + 18)

    def _columns(self, v):
        xp = self.device.xp
        weighted = v * self.right
        unit = tiles.power_of_two(float(xp.max(xp.abs(weighted))))
        sums = self._multiply(weighted / unit)
        return xp.sum(sums, axis=0) * (self.left * unit)

    def _multiply(self, v):
        """Sums of each span of sources: (spans, N, c)."""
        columns, numbers = v.shape[1], self.profile.numbers
        loops = Loops(self.profile, columns, self.precision)
        if columns not in self._joined:
            self._joined[columns] = y = self._zeros(loops.record)
            y[:, :numbers] = self.sources
        y = self._joined[columns]
        y[:, numbers : numbers + columns] = self.device.xp.asarray(v, dtype=y.dtype)
        return self._launch(_streamed, self.profile, columns, self.targets, y, *self.parameters)

    def _launch(self, made, profile, columns: int, first, y, *parameters):
        sums = self.device.empty((self.spans, self.shape[0], columns), "float64")
        counts = tuple(map(np.int64, self.shape))
        made(self.device, profile, columns, self.precision)(
            (self.blocks, self.spans), (THREADS,), (first, y, sums, *counts, *parameters)
        )
        return sums

    @property
    def blocks(self) -> int:
        """Blocks of rows."""
        return -(-self.shape[0] // Loops(self.profile, 0, self.precision).block)

    @property
    def spans(self) -> int:
        """Spans of sources."""
        return -(-self.shape[1] // SPAN)

    def _bytes(self, array) -> int:
        return int(np.prod(array.shape)) * self.device.xp.finfo(array.dtype).bits // 8

    def _zeros(self, columns: int):
        return self.device.zeros((self.shape[1], columns), self.precision)


class DeviceResident(DeviceStreamed):
    """u = K(targets, sources) v from tiles that are kept, bit for bit what `DeviceStreamed` computes."""

    name = "resident"

    def __init__(self, kernel, targets, sources, precision: str, device: Device):
        super().__init__(kernel, targets, sources, precision, device)
        loops = Loops(self.profile, 0, precision)
        size = self.blocks * self.shape[1] * loops.block
        self.tiles = device.empty((size,), precision)
        y = self._zeros(loops.record)
        y[:, : self.profile.numbers] = self.sources
        arguments = (self.targets, y, self.tiles, *map(np.int64, self.shape), *self.parameters)
        if size:
            _filled(device, self.profile, 0, precision)((self.blocks, self.spans), (THREADS,), arguments)

    @property
    def bytes(self) -> int:
        """Memory held on the device between steps."""
        return super().bytes + self._bytes(self.tiles)

    def _multiply(self, v):
        columns = v.shape[1]
        y = self._zeros(padded(columns, self.precision))
        y[:, :columns] = self.device.xp.asarray(v, dtype=y.dtype)
        return self._launch(_multiplied, self.profile, columns, self.tiles, y)


@cache
def _streamed(device: Device, profile, columns: int, precision: str):
    return device.kernel(Loops(profile, columns, precision).streamed(), "streamed", OPTIONS[precision])


@cache
def _filled(device: Device, profile, columns: int, precision: str):
    return device.kernel(Loops(profile, columns, precision).filled(), "filled", OPTIONS[precision])


@cache
def _added(device: Device, columns: int):
    return device.kernel(cuda_loops.added(columns), "added", OPTIONS["float64"])


@cache
def _multiplied(device: Device, profile, columns: int, precision: str):
    # Rows of a thread are those of the tiles, whoever filled them.
    rows = Loops(profile, 0, precision).rows
    return device.kernel(Loops(None, columns, precision, rows).multiplied(), "multiplied", OPTIONS[precision])
