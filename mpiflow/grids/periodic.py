"""Curvature of a metric on the torus [0, 2 pi)^d in any array library: what functionals are made of."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mpiflow.grids import symmetric


class Metric:
    """A symmetric metric of periodic components.

    u: (d (d + 1) / 2, n, ..., n) real, g_ij for i <= j in the order of rows, arrays of the library xp. All that follows is
    (d, ..., d, n, ..., n), grid axes last.
    """

    def __init__(self, u, xp=np):
        self.xp, self.dimension = xp, u.ndim - 1
        self.g = xp.stack([xp.stack([u[place] for place in row]) for row in symmetric.places(self.dimension)])

    @cached_property
    def inverse(self):
        """g^ij: (d, d, n, ..., n)."""
        return self._moved(self.xp.linalg.inv(self._matrices))

    @cached_property
    def root(self):
        """sqrt(det g): (n, ..., n)."""
        return self.xp.sqrt(self.xp.linalg.det(self._matrices))

    @cached_property
    def christoffel(self):
        """Gamma^k_ij, k first: (d, d, d, n, ..., n)."""
        slope = self.derivatives(self.g)
        lowered = slope.swapaxes(0, 1) + self.xp.moveaxis(slope, 0, 2) - slope
        return self._sum("kl,lij->kij", self.inverse, lowered) / 2

    @cached_property
    def ricci(self):
        """R_ij = d_k Gamma^k_ij - d_i Gamma^k_kj + Gamma^k_kl Gamma^l_ij - Gamma^k_il Gamma^l_kj: (d, d, n, ..., n)."""
        gamma = self.christoffel
        trace = self._sum("kkj->j", gamma)
        first = self._sum("kkij->ij", self.derivatives(gamma)) - self.derivatives(trace)
        return first + self._sum("l,lij->ij", trace, gamma) - self._sum("kil,lkj->ij", gamma, gamma)

    @cached_property
    def scalar(self):
        """R: (n, ..., n)."""
        return self._sum("ij,ij->", self.inverse, self.ricci)

    def steepness(self, f):
        """|grad f|^2 of a field (n, ..., n): the same shape."""
        slope = self.derivatives(f)
        return self._sum("ij,i,j->", self.inverse, slope, slope)

    def laplacian(self, f):
        """Lap f of a field (n, ..., n): the same shape."""
        flux = self.root * self._sum("ij,j->i", self.inverse, self.derivatives(f))
        return self._sum("ii->", self.derivatives(flux)) / self.root

    def integral(self, f):
        """Of a field over the volume form: a number."""
        return (f * self.root).mean() * (2 * np.pi) ** self.dimension

    def derivatives(self, f):
        """d_k f, k first, of (..., n, ..., n) real."""
        return self.xp.stack([derivative(f, axis - self.dimension, self.xp) for axis in range(self.dimension)])

    @property
    def _matrices(self):
        return self.xp.moveaxis(self.g, (0, 1), (-2, -1))

    def _moved(self, matrices):
        return self.xp.moveaxis(matrices, (-2, -1), (0, 1))

    def _sum(self, indices: str, *tensors):
        inputs, output = indices.split("->")
        return self.xp.einsum("...,".join(inputs.split(",")) + "...->" + output + "...", *tensors)


def derivative(f, axis: int, xp=np):
    """That of the trigonometric polynomial along one axis; the highest wave of an even number of points has none."""
    count = f.shape[axis]
    wave = np.where(2 * np.arange(count // 2 + 1) == count, 0, np.arange(count // 2 + 1))
    return _multiplied(f, 1j * wave, axis, xp)


def projected(f: np.ndarray, dimension: int) -> np.ndarray:
    """The waves of a field up to a third of the points of each axis: products of two of them do not alias there."""
    for axis in range(-dimension, 0):
        count = f.shape[axis]
        f = _multiplied(f, 1.0 * (3 * np.arange(count // 2 + 1) < count), axis, np)
    return f


def _multiplied(f, factor, axis: int, xp):
    shape = [-1 if place == f.ndim + axis else 1 for place in range(f.ndim)]
    return xp.fft.irfft(xp.fft.rfft(f, axis=axis) * factor.reshape(shape), n=f.shape[axis], axis=axis)
