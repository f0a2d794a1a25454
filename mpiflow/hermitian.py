"""Hermitian d x d matrices as d^2 reals: the diagonal, then the real and the imaginary parts above it.

With sqrt 2 off the diagonal (`to_reals`) the Frobenius product is the dot product; without it (`packed`) no bit is lost.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from mpiflow.backend import Device, joined

_SQRT2 = np.sqrt(2.0)
#: Up to which size places are kept: those of metrics are asked for all the time, those of all sections take megabytes.
_KEPT = 256


def to_reals(g: np.ndarray) -> np.ndarray:
    """(N, d, d) Hermitian complex to (N, d^2) real: the diagonal, then sqrt2 Re and sqrt2 Im above it."""
    i, j = upper(g.shape[-1])
    above = _SQRT2 * g[..., i, j]
    diagonal = np.diagonal(g, axis1=-2, axis2=-1).real
    return np.concatenate([diagonal, above.real, above.imag], axis=-1)


def from_reals(v: np.ndarray) -> np.ndarray:
    """(N, d^2) real to (N, d, d) Hermitian complex, the inverse of `to_reals`; float32 gives complex64."""
    d = round(v.shape[-1] ** 0.5)
    i, j = upper(d)
    scale = v.dtype.type(1 / _SQRT2)
    above = scale * (v[..., d : d + len(i)] + 1j * v[..., d + len(i) :])
    g = np.zeros((*v.shape[:-1], d, d), above.dtype)
    g[..., range(d), range(d)] = v[..., :d]
    g[..., i, j] = above
    g[..., j, i] = above.conj()
    return g


def packed(g: np.ndarray) -> np.ndarray:
    """(N, d, d) Hermitian complex128 to (N, d^2) float64, every bit of its diagonal and of what is above it."""
    i, j = upper(g.shape[-1])
    return np.concatenate([np.diagonal(g, axis1=-2, axis2=-1).real, g[..., i, j].real, g[..., i, j].imag], axis=-1)


def unpacked(v: np.ndarray) -> np.ndarray:
    """(N, d^2) float64 to (N, d, d) complex128, the inverse of `packed`."""
    d = round(v.shape[-1] ** 0.5)
    i, j = upper(d)
    g = np.zeros((*v.shape[:-1], d, d), np.complex128)
    g[..., range(d), range(d)] = v[..., :d]
    g.real[..., i, j], g.imag[..., i, j] = v[..., d : d + len(i)], v[..., d + len(i) :]
    g[..., j, i] = g[..., i, j].conj()
    return g


def block(d: int) -> list[tuple[slice, slice]]:
    """Where the reals of a (d, d) matrix without its first row and column lie: (here, there) in its own (d-1)^2 and in all."""
    first, pairs, few = d - 1, d * (d - 1) // 2, (d - 1) * (d - 2) // 2
    starts = ((0, 1, first), (first, d + first, few), (first + few, d + pairs + first, few))
    return [(slice(here, here + n), slice(there, there + n)) for here, there, n in starts]


def on_device(g, device: Device):
    """`to_reals` of one matrix (d, d) on a device: (d^2,) there."""
    xp, size = device.xp, g.shape[0]
    above, diagonal = _places(size, device)
    flat = xp.reshape(g, (-1,))
    upper = xp.take(flat, above, axis=0) * float(_SQRT2)
    return joined(xp, [xp.real(xp.take(flat, diagonal, axis=0)), xp.real(upper), xp.imag(upper)])


@cache
def _places(size: int, device: Device) -> tuple:
    i, j = upper(size)
    return device.put(i * size + j), device.put(np.arange(size) * (size + 1))


def upper(d: int) -> tuple[np.ndarray, np.ndarray]:
    """i and j of what is above the diagonal, in the order of its reals."""
    return _upper(d) if d <= _KEPT else np.triu_indices(d, 1)


@cache
def _upper(d: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(d, 1)
