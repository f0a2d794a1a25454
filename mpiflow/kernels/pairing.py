"""Small matrices at each point, between the large products: L V^dagger + V L^dagger of R rows each, and W V.

Hermitian (R, R) matrices are their R^2 reals (`mpiflow.hermitian`). A processor reads complex rows as twice as many reals:
Re sum l conj(v) is their dot product, and Im sum l conj(v) that with i v.
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
def _dot(a, b):
    total = a[0] * b[0]
    for s in range(1, len(a)):
        total += a[s] * b[s]
    return total


@njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _paired(left, values, i, j, root, found):
    rows, pairs = left.shape[1], len(i)
    turned = np.empty(left.shape[1:], left.dtype)
    for x in range(len(left)):
        u, v = left[x], values[x]
        for a in range(rows):
            for s in range(0, u.shape[1], 2):
                turned[a, s], turned[a, s + 1] = -v[a, s + 1], v[a, s]
            found[x, a] = 2 * _dot(u[a], v[a])
        for p in range(pairs):
            a, b = i[p], j[p]
            found[x, rows + p] = root * (_dot(u[a], v[b]) + _dot(u[b], v[a]))
            found[x, rows + pairs + p] = root * (_dot(u[a], turned[b]) - _dot(u[b], turned[a]))
