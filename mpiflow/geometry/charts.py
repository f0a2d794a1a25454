"""Charts of X: which coordinate is scaled to one, which is eliminated, and how charts change (theory 1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.geometry.projective import norm2


def scaled(z: np.ndarray) -> np.ndarray:
    """Points scaled so that the coordinate of largest modulus is 1: (N, n+1) complex. Ties go to the lowest index.

    z: (N, n+1) complex128, finite, of any scale that floats have, on which no bit depends. Raises InputError for z = 0.
    """
    largest = np.maximum(np.abs(z.real), np.abs(z.imag)).max(1, initial=0.0)
    if (zero := largest == 0).any():
        raise InputError(f"point {zero.argmax()} is z = 0: that is no point of projective space; leave it out")
    # By a power of two at first, which is exact: from there on nothing over- or underflows.
    exponent, close = -np.frexp(largest)[1][:, None], np.empty_like(z)
    close.real, close.imag = np.ldexp(z.real, exponent), np.ldexp(z.imag, exponent)
    return patch_scaled(close)


def patch_scaled(z: np.ndarray) -> np.ndarray:
    """As `scaled`, of points whose scale is of order one."""
    i = np.abs(z).argmax(1)
    rows = np.arange(len(z))
    scaled = z / z[rows, i][:, None]
    scaled[rows, i] = 1.0
    return scaled


def chart_of(surface: Polynomial, z: np.ndarray) -> np.ndarray:
    """Best-conditioned chart (i, j) of each point: i has the largest |z_i|, j != i the largest |dQ/dz_j|.

    z: (N, n+1) complex. Returns (N, 2) int8.
    """
    return _steepest(surface, z, np.abs(z).argmax(1))


def second_chart_of(surface: Polynomial, z: np.ndarray) -> np.ndarray:
    """(i, j) of the second largest |z_i| and the largest |dQ/dz_j|, j != i: (N, 2) int8."""
    return _steepest(surface, z, np.argsort(np.abs(z), axis=1)[:, -2])


def _steepest(surface: Polynomial, z: np.ndarray, i: np.ndarray) -> np.ndarray:
    slope = np.abs(surface.gradient(z))
    slope[np.arange(len(z)), i] = -1.0
    return np.stack([i, slope.argmax(1)], axis=1).astype(np.int8)


def kept(chart: np.ndarray, size: int) -> np.ndarray:
    """Indices of the d local coordinates of each chart, ascending: (N, 2) int to (N, d) int, size = n+1."""
    index = np.broadcast_to(np.arange(size), (len(chart), size))
    free = (index != chart[:, :1]) & (index != chart[:, 1:])
    return index[free].reshape(len(chart), size - 2)


def complaints(z: np.ndarray, chart: np.ndarray) -> Iterator[str]:
    """What makes (N, w) integers no charts (i, j) of points z (N, n+1), the first that is found; used unchecked later."""
    if chart.shape[1] != 2:
        yield f"points/chart has {chart.shape[1]} integers a point: a chart of P^n is a pair"
    wrong = ((chart < 0) | (chart >= z.shape[1])).any(1) | (chart[:, 0] == chart[:, 1])
    if wrong.any():
        row = int(wrong.argmax())
        yield f"points/chart[{row}] = {chart[row].tolist()}: it must be two different numbers in 0..{z.shape[1] - 1}"
    scaled = np.take_along_axis(z, chart[:, :1].astype(np.int64), 1)
    if not scaled.all():
        yield f"points/z[{int((scaled == 0).argmax())}] does not lie in its chart"


def jacobian(surface: Polynomial, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """J^mu_a = dz^mu/dx^a along X: 1 on the kept coordinates, -(dQ/dz_a)/(dQ/dz_j) on the eliminated one.

    z: (N, n+1) complex with z_i = 1; chart: (N, 2) int. Returns (N, n+1, d) complex.
    """
    rows = np.arange(len(z))
    slope = surface.gradient(z)
    free = kept(chart, z.shape[1])
    result = np.zeros((*z.shape, free.shape[1]), np.complex128)
    result[rows[:, None], free, np.arange(free.shape[1])] = 1.0
    eliminated = chart[:, 1].astype(int)
    result[rows, eliminated] = -slope[rows[:, None], free] / slope[rows, eliminated][:, None]
    return result


def omega2(surface: Polynomial, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """|Omega|^2 = 1 / |dQ/dz_j|^2 in the chart: (N,) float64."""
    slope = surface.gradient(z)[np.arange(len(z)), chart[:, 1].astype(int)]
    return 1.0 / np.abs(slope) ** 2


def in_chart(z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """Points scaled to z_i = 1 for the i of the given charts: (N, n+1) complex."""
    rows = np.arange(len(z))
    i = chart[:, 0].astype(int)
    scaled = z / z[rows, i][:, None]
    scaled[rows, i] = 1.0
    return scaled


def transition(surface: Polynomial, z: np.ndarray, chart: np.ndarray, other: np.ndarray) -> np.ndarray:
    """T^a_b = dx^a/dy^b from coordinates x of `chart` to y of `other`: a metric moves by g_y = T^T g_x conj(T).

    z: (N, n+1) complex, any scale; chart, other: (N, 2) int. Returns (N, d, d) complex.
    """
    rows = np.arange(len(z))
    there = in_chart(z, other)
    slope = jacobian(surface, there, other)
    i = chart[:, 0].astype(int)
    scale = there[rows, i][:, None, None]
    here = in_chart(z, chart)
    free = kept(chart, z.shape[1])
    # x^a = z_a / z_i, so dx^a = (dz_a - x^a dz_i) / z_i.
    change = slope[rows[:, None], free] - here[rows[:, None], free][:, :, None] * slope[rows, i][:, None, :]
    return change / scale


def displaced(surface: Polynomial, z: np.ndarray, chart: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Points of X whose local coordinates differ by a step: the eliminated coordinate is solved for by Newton.

    z: (N, n+1) complex with z_i = 1; chart: (N, 2) int; step: (N, d) complex, small. Returns (N, n+1) complex.
    Raises NumericalError where Newton does not converge (the step leaves the chart).
    """
    rows = np.arange(len(z))
    free, j = kept(chart, z.shape[1]), chart[:, 1].astype(int)
    moved = z.copy()
    moved[rows[:, None], free] += step
    moved[rows, j] += (jacobian(surface, z, chart)[rows, j] * step).sum(1)
    for _ in range(8):
        moved[rows, j] -= surface.value(moved) / surface.gradient(moved)[rows, j]
    off = np.abs(surface.value(moved))
    if len(off) and not off.max() < 1e-10:
        raise NumericalError(
            f"|Q| = {off.max():.1e} after a step of {np.abs(step).max():.1e} in chart {chart[off.argmax()].tolist()}: "
            "the step leaves the chart; take a smaller one"
        )
    return moved


def shaken(surface: Polynomial, z: np.ndarray, chart: np.ndarray, noise: np.ndarray, project: bool) -> np.ndarray:
    """Points displaced by noise in their affine coordinates (HR 3.2.4), z_i = 1 kept: (N, n+1) complex.

    z, noise: (N, n+1) complex; chart: (N, 2) int. project: Newton's method along the gradient brings them back onto X;
    otherwise they lie off X by about the noise.
    """
    rows, i = np.arange(len(z)), chart[:, 0].astype(int)
    moved = z + noise
    moved[rows, i] = 1.0
    for _ in range(20 if project else 0):
        slope = surface.gradient(moved).conj()
        slope[rows, i] = 0.0
        moved -= (surface.value(moved) / norm2(slope))[:, None] * slope
    return moved
