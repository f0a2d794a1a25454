"""Cosine networks of finite width on a torus, in place of the Gaussian that they tend to (HR 2.31 - 2.37)."""

from __future__ import annotations

import numpy as np

from mpiflow import streams
from mpiflow.grids.spectral import Spectral

#: Units drawn in one go; e^-40 is no chance.
_TOGETHER, _FAR = 1024, 9.0


class Network:
    """K_N(x, x') = c / N sum_i 2 cos(w_i.x + b_i) cos(w_i.x' + b_i), w_i whole numbers of chance ~ e^(-s^2 w^2 / 2).

    b_i is uniform, and c makes its limit N_s, the periodic Gaussian of width s (theory 10). A unit of frequency w moves the
    modes w and -w alone: a mode f_w becomes A_w f_w + B_w conj(f_w), where A_w tends to e^(-s^2 w^2 / 2) and B_w to 0. A
    wider network begins with the units of a narrower one; all ranks draw all, and keep those of their own columns.
    """

    def __init__(self, spectral: Spectral, width: float, units: int, seed: int):
        self.spectral = spectral
        self.even, self.odd = np.zeros(spectral.kept.shape), np.zeros(spectral.kept.shape, complex)
        far = int(np.ceil(_FAR / width))
        weight = np.exp(-(width**2) * np.arange(-far, far + 1) ** 2 / 2)
        below = np.cumsum(weight) / weight.sum()
        for block, start in enumerate(range(0, units, _TOGETHER)):
            drawn = streams.generator(seed, streams.UNITS, block).uniform(size=(_TOGETHER, spectral.d + 1))
            drawn = drawn[: units - start]
            wave = np.minimum(np.searchsorted(below, drawn[:, :-1], side="right"), 2 * far) - far
            turned = np.exp(4j * np.pi * drawn[:, -1])
            self._add(wave, turned)
            self._add(-wave, turned.conj())
        share = weight.sum() ** spectral.d / (2 * units)
        self.even *= share
        self.odd *= share

    def _add(self, wave: np.ndarray, turned: np.ndarray) -> None:
        """Modes (N, d) among own columns, with e^2ib (N,)."""
        n, columns = self.spectral.n, self.spectral.slab.columns
        # The last axis of a spectrum has no negative modes.
        place = [*(wave[:, :-1] % n).T, wave[:, -1]]
        own = (np.abs(wave) < n / 3).all(1) & (wave[:, -1] >= 0)
        own &= (place[1] >= columns.start) & (place[1] < columns.stop)
        place = [part[own] for part in place]
        place[1] = place[1] - columns.start
        np.add.at(self.even, tuple(place), 1.0)
        np.add.at(self.odd, tuple(place), turned[own])

    def smoothed(self, field: np.ndarray) -> np.ndarray:
        """The integral of K_N times a field; collective on slabs."""
        modes = self.spectral.forward(field)
        return self.spectral.backward(self.even * modes + self.odd * modes.conj())
