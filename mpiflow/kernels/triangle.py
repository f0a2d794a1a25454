"""Products with Hermitian matrices of which one triangle is all there is: by blocks of columns, near half the flops.

A Hermitian h is T + T^dagger, T its lower triangle with half of the diagonal: columns of a product with T need the rows of T
from the diagonal on alone, and a sum of outer products that is Hermitian is wanted from the diagonal on alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow.backend import HOST, Device

#: Blocks of columns on a processor: 7/12 of the flops, in products that are still wide.
_BLOCKS = 6


def lower(h: np.ndarray) -> np.ndarray:
    """T of h = T + T^dagger: (n, n) to (n, n) complex."""
    triangle = np.tril(h)
    triangle[range(len(h)), range(len(h))] /= 2
    return triangle


def times(values, triangle, device: Device = HOST):
    """values (M, n) times a lower triangle (n, n): (M, n) on the device, which takes it as a whole: it would wait for each."""
    if device is not HOST:
        return device.xp.matmul(values, triangle)
    found = np.empty_like(values)
    for start, stop in _blocks(len(triangle)):
        np.matmul(values[:, start:], triangle[start:, start:stop], out=found[:, start:stop])
    return found


def gram(left, right, device: Device = HOST):
    """left^T right, (M, n) twice to (n, n) on the device, where it is Hermitian: right from the diagonal on."""
    if device is not HOST:
        return device.xp.matmul(left.T, right)
    found = np.zeros((left.shape[1],) * 2, left.dtype)
    for start, stop in _blocks(len(found)):
        np.matmul(left[:, start:stop].T, right[:, start:], out=found[start:stop, start:])
    return found


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    yield from ((n * b // _BLOCKS, n * (b + 1) // _BLOCKS) for b in range(_BLOCKS))
