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
        found, mixing = np.empty((count, rows, size), values.dtype), hermitian.from_reals(weights).view(precision)
        _weighted(values.view(precision), mixing, found.view(precision))
        return found
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
    turned = np.empty((rows, size), left.dtype)
    for x in range(len(left)):
        for a in range(rows):
            u, v, w, total = left[x, a], values[x, a], turned[a], root - root
            for s in range(size):
                total += u[s] * v[s]
            for s in range(size // 2):
                w[2 * s], w[2 * s + 1] = -v[2 * s + 1], v[2 * s]
            found[x, a] = 2 * total
        for p in range(pairs):
            a, b, re, im = i[p], j[p], root - root, root - root
            u, v, t, w, p_v, p_w = left[x, a], values[x, b], left[x, b], values[x, a], turned[b], turned[a]
            for s in range(size):
                re += u[s] * v[s] + t[s] * w[s]
                im += u[s] * p_v[s] - t[s] * p_w[s]
            found[x, rows + p], found[x, rows + pairs + p] = root * re, root * im


@njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _weighted(values, mixing, found):
    rows, size = mixing.shape[1], values.shape[2] // 2
    for x in range(len(values)):
        for a in range(rows):
            total = found[x, a]
            for s in range(2 * size):
                total[s] = 0
            # Two rows at a time: half as often through what is summed. Of an odd number the last one counts once.
            for b in range(0, rows, 2):
                c, both = min(b + 1, rows - 1), mixing.dtype.type(b + 1 < rows)
                v, w, p, q = values[x, b], values[x, c], mixing[x, a, 2 * b], mixing[x, a, 2 * b + 1]
                t, u = both * mixing[x, a, 2 * c], both * mixing[x, a, 2 * c + 1]
                for s in range(size):
                    total[2 * s] += p * v[2 * s] - q * v[2 * s + 1] + t * w[2 * s] - u * w[2 * s + 1]
                    total[2 * s + 1] -= p * v[2 * s + 1] + q * v[2 * s] + t * w[2 * s + 1] + u * w[2 * s]
