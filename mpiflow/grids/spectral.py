"""Fourier transforms on a torus, of the slab that a rank has: derivatives, smoothing, and the 2/3 rule."""

from __future__ import annotations

from functools import cached_property
from math import prod

import numpy as np
from scipy import fft

from mpiflow.grids.whole import Whole


class Spectral:
    """T^d = [0, 2 pi)^d, d = 2 or 3, with n points a side; fields are (own rows, n, ...), spectra (n, own columns, ...).

    A spectrum is cut to |k_i| < n/3 as it is made, so that products of two fields have no false modes (2/3 rule). What is
    done to a row or a column does not depend on the others: bits are those of any number of ranks.
    """

    def __init__(self, shape: tuple[int, ...], slab: Whole):
        self.shape, self.slab, self.d, self.n = shape, slab, len(shape), shape[0]
        own = [slice(None), slab.columns, slice(None)]
        waves = [fft.fftfreq(self.n, 1 / self.n)] * (self.d - 1) + [fft.rfftfreq(self.n, 1 / self.n)]
        self._waves = [(wave, cut) for wave, cut in zip(waves, own[: self.d], strict=True)]
        #: Wave numbers of each axis, to be broadcast over a spectrum; and k^2.
        self.k = [self._along(axis, lambda wave: wave) for axis in range(self.d)]
        self.kept = prod(self._along(axis, lambda wave: abs(wave) < self.n / 3) for axis in range(self.d))
        self.square = sum(k**2 for k in self.k)

    def _along(self, axis: int, function) -> np.ndarray:
        """A function of the wave numbers of an axis, computed for all of them, so that no share of them changes a bit."""
        wave, cut = self._waves[axis]
        shape = [1] * self.d
        shape[axis] = -1
        return function(wave)[cut].reshape(shape)

    def forward(self, field: np.ndarray) -> np.ndarray:
        """The spectrum of a real field, cut."""
        found = fft.rfft(field, axis=-1)
        if self.d == 3:
            found = fft.fft(found, axis=1, overwrite_x=True)
        found = fft.fft(self.slab.turned(found), axis=0, overwrite_x=True)
        found *= self.kept
        return found

    def backward(self, spectrum: np.ndarray) -> np.ndarray:
        """The real field of a spectrum."""
        found = self.slab.returned(fft.ifft(spectrum, axis=0))
        if self.d == 3:
            found = fft.ifft(found, axis=1, overwrite_x=True)
        return fft.irfft(found, self.n, axis=-1)

    def slopes(self, spectrum: np.ndarray) -> list[np.ndarray]:
        """d_i f of the spectrum of f, fields."""
        return [self.backward(1j * k * spectrum) for k in self.k]

    def multiplier(self, width: float) -> np.ndarray:
        """exp(-s^2 k^2 / 2), by which a spectrum is smoothed (HR 2.27)."""
        if width not in self._multipliers:
            parts = (self._along(axis, lambda wave: np.exp(-(width**2) * wave**2 / 2)) for axis in range(self.d))
            self._multipliers[width] = prod(parts)
        return self._multipliers[width]

    @cached_property
    def _multipliers(self) -> dict[float, np.ndarray]:
        return {}

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s of a field, also of width 0, which cuts it."""
        return self.backward(self.multiplier(width) * self.forward(field))

    def integral(self, *densities: np.ndarray) -> list[float]:
        """Integrals over the torus in its coordinates, sums of rows added in the order of the rows."""
        rows = np.stack([[row.sum() for row in density] for density in densities], axis=1)
        return (self.slab.sum(rows) * prod(2 * np.pi / n for n in self.shape)).tolist()

    def coordinates(self) -> list[np.ndarray]:
        """x_i of the own rows, to be broadcast."""
        x = 2 * np.pi * np.arange(self.n) / self.n
        axes = [x[self.slab.rows], *[x] * (self.d - 1)]
        return [part.reshape([-1 if a == axis else 1 for a in range(self.d)]) for axis, part in enumerate(axes)]

    def rate(self, width: float) -> float:
        """The largest k^2 exp(-s^2 k^2 / 2) of the modes that are kept (theory 10)."""
        largest = self.d * float(-(-self.n // 3) - 1) ** 2
        square = min(largest, 2 / width**2) if width else largest
        return square * float(np.exp(-(width**2) * square / 2))
