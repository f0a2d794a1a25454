"""Small matrices at each point, between the large products: L V^dagger + V L^dagger of R rows each, and W V.

Hermitian (R, R) matrices are their R^2 reals (`mpiflow.hermitian`). A processor reads complex rows as twice as many reals.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mpiflow import hermitian
from mpiflow.backend import HOST, Device
from mpiflow.kernels import cuda_pairing

_ROOT = np.sqrt(2.0)


def paired(left, values, device: Device = HOST):
    """L V^dagger + V L^dagger: (N, R, S) and the first R rows of (N, R or more, S), on the device, to (N, R^2) reals there."""
    count, rows, size = left.shape
    precision = _precision(left, device)
    found = device.empty((count, rows**2), precision)
    if device is HOST:
        _paired(left.view(precision), values.view(precision), *hermitian.upper(rows), found.dtype.type(_ROOT), found)
    elif count:
        launch, points = cuda_pairing.paired(rows, precision, device)
        numbers = map(np.int64, (count, size, values.shape[1]))
        launch((-(-count // points), 1), (points * rows**2,), (left, values, found, *numbers))
    return found


def weighted(values, weights, device: Device = HOST):
    """conj(W V): the first R rows of (N, R or more, S) and W as (N, R^2) reals, on the device, to (N, R, S) there."""
    count, apart, size = values.shape
    rows, precision = round(weights.shape[1] ** 0.5), _precision(values, device)
    if device is HOST:
        found = np.matmul(hermitian.from_reals(weights), values[:, :rows])
        return np.conj(found, out=found)
    found = device.empty((count, rows, size), {"float32": "complex64", "float64": "complex128"}[precision])
    if count:
        launch = cuda_pairing.weighted(rows, precision, device)
        blocks = -(-count * size // cuda_pairing.THREADS)
        launch((blocks, 1), (cuda_pairing.THREADS,), (values, weights, found, *map(np.int64, (count, size, apart))))
    return found


def _precision(array, device: Device) -> str:
    return "float32" if array.dtype == device.xp.complex64 else "float64"


@njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _paired(left, values, i, j, root, found):
    rows, pairs, size = left.shape[1], len(i), left.shape[2]
    for x in range(len(left)):
        for a in range(rows):
            u, v = left[x, a], values[x, a]
            total = u[0] * v[0]
            for s in range(1, size):
                total += u[s] * v[s]
            found[x, a] = 2 * total
        for p in range(pairs):
            u, v, t, w = left[x, i[p]], values[x, j[p]], left[x, j[p]], values[x, i[p]]
            re, im = u[0] * v[0] + t[0] * w[0], t[0] * w[1] - u[0] * v[1]
            for s in range(1, size):
                re += u[s] * v[s] + t[s] * w[s]
            im += u[1] * v[0] - t[1] * w[0]
            for s in range(1, size // 2):
                im += u[2 * s + 1] * v[2 * s] - u[2 * s] * v[2 * s + 1]
                im -= t[2 * s + 1] * w[2 * s] - t[2 * s] * w[2 * s + 1]
            found[x, rows + p], found[x, rows + pairs + p] = root * re, root * im
