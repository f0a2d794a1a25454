"""Engines whose points and tiles live on a GPU or any array library's device; v comes from there or from the host.

Run on array_api_strict's devices and NumPy; CuPy's side has not run on a GPU yet.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from mpiflow.backend import Device
from mpiflow.engine import cuda, tiles
from mpiflow.engine.arrays import Arrays
from mpiflow.engine.near_pairs import correction

# Rows of a tile, the unit that ranks own; sources of a stretch, summed in the tile's precision.
_TILE, _STRETCH = 128, 1024


class DeviceEngine:
    """What both have: records and parameters, factors, the near pairs (on the host), the scale of v."""

    def __init__(self, kernel, targets, sources, precision: str, device: Device):
        self.device, self.precision, self.shape = device, precision, (len(targets), len(sources))
        self.profile = kernel.profile(targets.shape[1] - 1, precision)
        self.targets, self.left = self.profile.records(kernel, targets)
        self.sources, right = self.profile.records(kernel, sources)
        self.right = device.put(right[:, None])
        self.parameters = np.array(self.profile.parameters(kernel, kernel.floor(precision)), precision)
        self.near = correction(kernel, targets, sources, precision)

    def apply(self, v) -> np.ndarray:
        """u = K v. v: (M, c) float64, on the host or the device. Returns (N, c) float64 on the host."""
        if not all(self.shape):
            return np.zeros((self.shape[0], v.shape[1]))
        host = isinstance(v, np.ndarray)
        weighted = (self.device.put(np.ascontiguousarray(v)) if host else v) * self.right
        unit = tiles.power_of_two(float(self.device.xp.max(self.device.xp.abs(weighted))))
        u = self.device.fetch(self._multiply(weighted / unit)) * (self.left * unit)[:, None]
        return u if self.near is None else u + self.near @ (v if host else self.device.fetch(v))

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return self.shape[0] * self.shape[1] * (self.profile.flops + 18)


class DeviceResident(DeviceEngine):
    """Tiles of 128 rows kept on the device as (stretches, 128, 1024); a batched product a tile and step."""

    name = "resident"

    def __init__(self, kernel, targets, sources, precision: str, device: Device):
        super().__init__(kernel, targets, sources, precision, device)
        y = self._stretches(self.sources)[:, None, :, :]
        self.tiles = [self._tile(start, y) for start in range(0, len(targets), _TILE)]

    @property
    def bytes(self) -> int:
        """Memory held on the device between steps."""
        return len(self.tiles) * _TILE * _padded(self.shape[1]) * np.dtype(self.precision).itemsize + 8 * self.shape[1]

    def _tile(self, start: int, y):
        rows = self.targets[start : start + _TILE]
        rows = np.concatenate([rows, np.broadcast_to(rows[:1], (_TILE - len(rows), rows.shape[1]))])
        x = self.device.put(np.ascontiguousarray(rows[None, :, None], self.precision))
        left, right = ([Arrays(self.device.xp, a[..., k]) for k in range(self.profile.numbers)] for a in (x, y))
        parameters = [Arrays(self.device.xp, self.device.put(np.asarray(p))) for p in self.parameters]
        return self.profile.value(left, right, parameters).value

    def _stretches(self, rows: np.ndarray):
        """(M, k) as (stretches, 1024, k) on the device, zeros at the end."""
        padded = np.zeros((_padded(len(rows)), rows.shape[1]), self.precision)
        padded[: len(rows)] = rows
        return self.device.put(padded.reshape(-1, _STRETCH, rows.shape[1]))

    def _multiply(self, v):
        xp, columns = self.device.xp, v.shape[1]
        padded = self.device.put(np.zeros((_padded(self.shape[1]), columns), self.precision))
        padded[: self.shape[1], :] = xp.asarray(v, dtype=padded.dtype)
        padded = xp.reshape(padded, (-1, _STRETCH, columns))
        u = xp.stack([xp.sum(xp.matmul(tile, padded), axis=0, dtype=xp.float64) for tile in self.tiles])
        return xp.reshape(u, (-1, columns))[: self.shape[0], :]


class DeviceStreamed(DeviceEngine):
    """One fused CUDA kernel: a thread a row, sources through shared memory. Not yet run on a GPU; needs CuPy."""

    name = "streamed"

    @property
    def bytes(self) -> int:
        """Memory held on the device between steps: the points."""
        return sum(array.nbytes for array in self.points)

    def __init__(self, kernel, targets, sources, precision: str, device: Device):
        super().__init__(kernel, targets, sources, precision, device)
        points = (self.targets.astype(precision), self.sources.astype(precision), self.parameters)
        self.points = [device.put(array) for array in points]

    def _multiply(self, v):
        xp, (x, z, parameters) = self.device.xp, self.points
        y = xp.empty((self.shape[1], z.shape[1] + v.shape[1]), dtype=z.dtype)
        y[:, : z.shape[1]], y[:, z.shape[1] :] = z, v
        u = xp.empty((self.shape[0], v.shape[1]))
        blocks = -(-self.shape[0] // cuda.STRETCH)
        arguments = (x, y, parameters, u, np.int64(self.shape[0]), np.int64(self.shape[1]))
        _raw(xp, self.profile, v.shape[1])((blocks,), (cuda.STRETCH,), arguments)
        return u


@cache
def _raw(xp, shape, columns: int):
    return xp.RawKernel(cuda.step(shape, columns), "step")


def _padded(count: int) -> int:
    return -(-count // _STRETCH) * _STRETCH
