"""Products with Hermitian matrices of which one triangle is all there is: by blocks of columns, near half the flops.

A Hermitian h is T + T^dagger, T its lower triangle with half of the diagonal: columns of a product with T need the rows of T
from the diagonal on alone, and a sum of outer products that is Hermitian is wanted from the diagonal on alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit
from scipy.linalg import blas

from mpiflow.backend import HOST, Device

#: Columns of a block on a processor: whole registers, few flops above half, and products that are still wide.
_WIDTH = 40
#: Numbers from one row of a result to the next are a multiple of it: rows that begin on a cache line are written quicker.
_LINE = 8
#: Rows of which the parts of complex numbers stay in a cache between a product and the next.
_ROWS = 1024


def lower(h: np.ndarray) -> np.ndarray:
    """T of h = T + T^dagger: (n, n) to (n, n) complex."""
    triangle = np.tril(h)
    triangle[range(len(h)), range(len(h))] /= 2
    return triangle


def times(values, triangle, device: Device = HOST):
    """values (M, n) times a lower triangle (n, n): (M, n) on the device, which takes it as a whole: it would wait for each."""
    if device is not HOST:
        return device.xp.matmul(values, triangle)
    if values.dtype == np.complex64:
        return _in_three(values, triangle)
    # Fortran's columns are our rows: no copy but the one that becomes the result.
    return blas.ztrmm(1, triangle.T, values.T).T


def _in_three(values: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """A complex product by three real ones: AC - BD + i ((A + B)(C + D) - AC - BD), its error 1.5 times as large.

    In complex64 alone, which no result takes part in: complex128 keeps what is customary.
    """
    found, real = np.empty_like(values), triangle.real.dtype
    parts = np.empty((3, _ROWS * values.shape[1]), real)
    three = np.empty((3, *triangle.shape), real)
    _split(triangle.reshape(-1).view(real), three.reshape(3, -1))
    for start in range(0, len(values), _ROWS):
        here = values[start : start + _ROWS]
        taken = parts[:, : here.size]
        _split(here.reshape(-1).view(real), taken)
        for one, part in zip(three, taken, strict=True):
            blas.strmm(1, one.T, part.reshape(here.shape).T, overwrite_b=True)
        _joined(taken, found[start : start + _ROWS].reshape(-1).view(real))
    return found


def gram(left, right, device: Device = HOST):
    """left^T right, (M, n) twice to (n, n) on the device, where it is Hermitian: right from the diagonal on."""
    if device is not HOST:
        return device.xp.matmul(left.T, right)
    size = left.shape[1]
    found = np.zeros((size, -(-size // _LINE) * _LINE), left.dtype)[:, :size]
    for start, stop in _blocks(len(found)):
        np.matmul(left[:, start:stop].T, right[:, start:], out=found[start:stop, start:])
    return found


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    yield from ((start, min(start + _WIDTH, n)) for start in range(0, n, _WIDTH))


@njit(cache=True, error_model="numpy")
def _split(numbers, parts):
    re, im, both = parts[0], parts[1], parts[2]
    for i in range(len(numbers) // 2):
        re[i], im[i], both[i] = numbers[2 * i], numbers[2 * i + 1], numbers[2 * i] + numbers[2 * i + 1]


@njit(cache=True, error_model="numpy")
def _joined(parts, numbers):
    first, second, third = parts[0], parts[1], parts[2]
    for i in range(len(numbers) // 2):
        numbers[2 * i], numbers[2 * i + 1] = first[i] - second[i], third[i] - first[i] - second[i]
