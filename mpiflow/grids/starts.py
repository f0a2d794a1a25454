"""Metrics on a torus to start from: random low modes, and a bump."""

from __future__ import annotations

import numpy as np

from mpiflow import streams
from mpiflow.grids import symmetric
from mpiflow.grids.spectral import Spectral


def flat(spectral: Spectral) -> np.ndarray:
    """The flat metric on own rows: (c, own rows, ...)."""
    rows = spectral.slab.rows
    return symmetric.unit((rows.stop - rows.start, *spectral.shape[1:]), spectral.d)


def modes(spectral: Spectral, largest: int, amplitude: float, seed: int) -> np.ndarray:
    """The flat metric and in each component a Gaussian random function of modes |k_i| <= largest, of this rms."""
    side = 2 * largest + 1
    shape = (symmetric.components(spectral.d), *[side] * spectral.d)
    draws = streams.modes(seed).standard_normal((2, *shape))
    wave = draws[0] + 1j * draws[1]
    # Of a real function, without its mean; each mode has a mean square of 1.
    wave = (wave + np.conj(np.flip(wave, tuple(range(1, spectral.d + 1))))) / 2
    wave[(slice(None), *[largest] * spectral.d)] = 0
    wave *= amplitude / np.sqrt(side**spectral.d - 1)
    return flat(spectral) + np.stack([spectral.backward(_placed(spectral, part)) for part in wave])


def _placed(spectral: Spectral, wave: np.ndarray) -> np.ndarray:
    """The spectrum, own columns, of amplitudes of modes -K..K of each axis."""
    largest, n = len(wave) // 2, spectral.n
    found = np.zeros(spectral.kept.shape, complex)
    columns = range(n)[spectral.slab.columns]
    k = np.arange(-largest, largest + 1)
    for place in range(len(wave)):
        # The last axis has no negative modes: they follow.
        column = k[place] % n if spectral.d == 3 or k[place] >= 0 else -1
        if column not in columns:
            continue
        cut = wave[:, place] if spectral.d == 2 else wave[:, place, largest:]
        there = found[:, column - columns.start] if spectral.d == 2 else found[:, column - columns.start, : largest + 1]
        there[k % n] = cut
    return found * float(n) ** spectral.d


def bump(spectral: Spectral, amplitude: float, breadth: float) -> np.ndarray:
    """(1 + A exp(sum (cos(x_i - pi) - 1) / w^2)) times the flat metric: a Gaussian of width w in the middle, periodic."""
    height = np.exp(sum(np.cos(x - np.pi) - 1 for x in spectral.coordinates()) / breadth**2)
    factor = spectral.smoothed(1 + amplitude * height, 0.0)
    return factor * flat(spectral)
