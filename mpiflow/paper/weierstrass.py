"""The Fermat cubic as a lattice, by Weierstrass' functions: its Ricci-flat metric in closed form (HR 3.2.4).

With p'^2 = 4 p^3 - 1728 the points [72 + p' : 72 - p' : -12 p] solve z_0^3 + z_1^3 + z_2^3 = 0. The lattice is hexagonal, of
period W = Gamma(1/3)^3 / (2 pi sqrt 12), and Omega, the residue of dx / (dQ/dy), is -2 dt.
"""

from __future__ import annotations

from math import gamma, pi, sqrt

import numpy as np

PERIOD = gamma(1 / 3) ** 3 / (2 * pi * sqrt(12))
#: Of the second period over the first; |Omega / dt|^2; the area of the lattice; the integral of |Omega|^2.
TAU, OMEGA2 = np.exp(1j * pi / 3), 4.0
AREA = PERIOD**2 * sqrt(3) / 2
VOLUME = OMEGA2 * AREA
#: |exp(2 pi i tau)| is .0043, so that its powers are below rounding from here on.
_TERMS = 8


def p(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weierstrass' p and p' of the lattice: (N,) complex, no lattice points, to (N,) complex each."""
    number, power = np.arange(-_TERMS, _TERMS + 1)[:, None], np.arange(1, _TERMS + 1)
    # Into the cell around 0, where the terms fall on both sides.
    s = t / PERIOD
    s = s - np.round(s.imag / TAU.imag) * TAU
    w = np.exp(2j * pi * (s - np.round(s.real)))
    q = np.exp(2j * pi * TAU)
    terms, scale = q**number * w, 2j * pi / PERIOD
    even = 1 / 12 + (terms / (1 - terms) ** 2).sum(0) - 2 * (q**power / (1 - q**power) ** 2).sum()
    return scale**2 * even, scale**3 * (terms * (1 + terms) / (1 - terms) ** 3).sum(0)


def points(t: np.ndarray) -> np.ndarray:
    """Homogeneous coordinates on the cubic of points of the plane: (N,) to (N, 3) complex."""
    value, slope = p(t)
    return np.stack([72 + slope, 72 - slope, -12 * value], axis=1)


def lattice(count: int) -> np.ndarray:
    """count^2 points of one cell, row by row, evenly spaced and none of them a pole: (count^2,) complex."""
    steps = (np.arange(count) + 0.5) / count
    return PERIOD * (steps[:, None] + steps * TAU).ravel()


def potential(density: np.ndarray) -> np.ndarray:
    """phi of mean 0 with d_t d_tbar phi = density less its mean, on a `lattice`: (count, count) float64, spectrally."""
    count = len(density)
    a, b = (np.fft.fftfreq(count, 1 / count) for _ in range(2))
    # exp(2 pi i (a u + b v)) at t = W (u + v tau): the gradient of u, v in t.
    wave = 2 * pi / PERIOD * (a[:, None] * TAU.imag + 1j * (b - a[:, None] * TAU.real)) / TAU.imag
    square = np.abs(wave) ** 2 / 4
    square[0, 0] = np.inf
    return np.fft.ifft2(-np.fft.fft2(density) / square).real
