"""Curvature of g = g_FS + d dbar phi from exact fourth derivatives of phi in normal coordinates (`geometry.frames`)."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np

from mpiflow.geometry.domain import Frame


def riemann(frame: Frame, jet: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g_(a bbar) and R_(a bbar c dbar) = -d_c d_dbar g_(a bbar) + (d_c g)_(a ebar) g^(ebar f) (d_dbar g)_(f bbar).

    jet: (N, C, C) complex, derivatives d^alpha dbar^beta phi, |alpha| and |beta| up to 2 (`kernels.jets`).
    Returns (N, d, d) and (N, d, d, d, d) complex.
    """
    d = frame.vectors.shape[2]
    pair = _pairs(d)
    g = np.eye(d) + jet[:, 1 : d + 1, 1 : d + 1]
    # (a, c, bbar): d_c g_(a bbar), symmetric in a and c, which is the Kaehler condition.
    slope = jet[:, pair][:, :, :, 1 : d + 1]
    second = frame.quartic + jet[:, pair][:, :, :, pair]
    twist = np.einsum("xace,xef,xbdf->xabcd", slope, np.linalg.inv(g), slope.conj(), optimize=True)
    return g, twist - second.transpose(0, 1, 3, 2, 4)


def ricci(g: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """R_(c dbar) = g^(bbar a) R_(a bbar c dbar) = -d_c d_dbar log det g: (N, d, d) complex, Hermitian."""
    return np.einsum("xba,xabcd->xcd", np.linalg.inv(g), curvature)


def scalar(g: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """R = g^(bbar a) R_(a bbar): (N,) float64."""
    return np.einsum("xba,xab->x", np.linalg.inv(g), ricci(g, curvature)).real


def scalar_slope(frame: Frame, jet: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R and how it changes: d R = -tr V d jet for a change of the potential with that jet, in the frame (theory 4).

    d R = -Laplace Laplace d phi - R^(a bbar) d_a d_bbar d phi, written out in derivatives that are not covariant.
    jet: as of `riemann`. Returns (N,) float64 and V (N, C, C) complex, Hermitian.
    """
    d = frame.vectors.shape[2]
    pair, (g, curved) = _pairs(d), riemann(frame, jet)
    inverse, r = np.linalg.inv(g), ricci(g, curved)
    slope = jet[:, pair][:, :, :, 1 : d + 1]
    second = frame.quartic + jet[:, pair][:, :, :, pair]
    # Of the inverse: (c, b, a), d_c and its conjugate d_cbar.
    rise = -np.einsum("xbf,xfce,xea->xcba", inverse, slope, inverse, optimize=True)
    back = -np.einsum("xbf,xecf,xea->xcba", inverse, slope.conj(), inverse, optimize=True)
    twice = np.einsum("xdc,xdbf,xfe,xcea->xba", inverse, back, g, rise, optimize=True)
    twice += np.einsum("xdc,xcbf,xfe,xdea->xba", inverse, rise, g, back, optimize=True)
    traced = r - np.einsum("xdc,xfced->xfe", inverse, second)
    v = np.zeros(jet.shape, np.complex128)
    v[:, 1 : d + 1, 1 : d + 1] = twice + inverse @ traced @ inverse
    third = np.einsum("xdc,xdba->xacb", inverse, back)
    for a in range(d):
        for c in range(d):
            v[:, 1 : d + 1, pair[a, c]] += third[:, a, c]
            for b in range(d):
                for e in range(d):
                    v[:, pair[b, e], pair[a, c]] += inverse[:, e, c] * inverse[:, b, a]
    v[:, d + 1 :, 1 : d + 1] = v[:, 1 : d + 1, d + 1 :].conj().transpose(0, 2, 1)
    return np.einsum("xba,xab->x", inverse, r).real, v


def euler_density(g: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """The top Chern form det(i Theta / 2 pi) over the volume form of g_FS, times pi^d: (N,) float64, d <= 3.

    Its mean over points that follow the volume of g_FS, times volume / d!, is the Euler number (Chern-Gauss-Bonnet).
    """
    d = g.shape[-1]
    theta = np.einsum("xaecd,xeb->xabcd", curvature, np.linalg.inv(g))
    total = np.zeros(len(g), np.complex128)
    signed = [(p, round(np.linalg.det(np.eye(d)[list(p)]))) for p in permutations(range(d))]
    for b, sign_b in signed:
        for c, sign_c in signed:
            for e, sign_e in signed:
                factors = [theta[:, a, b[a], c[a], e[a]] for a in range(d)]
                total += sign_b * sign_c * sign_e * np.prod(factors, axis=0)
    return total.real


def euler_number(density: np.ndarray, volume: float, dimension: int, group: int) -> tuple[float, float] | None:
    """The Euler number from densities (N,) at points that follow the volume of g_FS, and its standard error.

    group: consecutive points on one cut, which are not independent of each other. None for fewer than two whole lines:
    they tell nothing of the error, and without it the number means nothing.
    """
    factor, found = volume / math.factorial(dimension), by_cuts(density, group)
    return found and (factor * found[0], factor * found[1])


def by_cuts(values: np.ndarray, group: int) -> tuple[float, float] | None:
    """The mean of values (N,), and its standard error where `group` consecutive ones are not independent; None as above."""
    cuts = values[: len(values) // group * group].reshape(-1, group).mean(1)
    if len(cuts) < 2:
        return None
    return float(values.mean()), float(cuts.std(ddof=1) / np.sqrt(len(cuts)))


def ricci_measure(r: np.ndarray, eta: np.ndarray, weight: np.ndarray, volume: float, dimension: int) -> float:
    """Vol_K^(1/d) / Vol_Omega times the integral of |R| over the volume of g, which is Vol_K times the w-mean of eta |R|.

    As in cymetric, where K = log|z|^2 / pi: Vol_K = volume and Vol_Omega = volume pi^d mean(w). |Omega|^2 does not drop
    out: on the Fermat quintic Vol_K / Vol_Omega = 5 / 283.79.
    r: (N,) scalar curvature of the metric of K = log|z|^2. eta, weight: (N,), at points that follow the volume of g_FS.
    """
    omega = volume * np.pi**dimension * weight.mean()
    mean = (weight * eta * np.abs(r)).sum() / weight.sum()
    return float(volume ** (1 + 1 / dimension) / omega * np.pi * mean)


def _pairs(d: int) -> np.ndarray:
    """Place of the multi-index (a, c) among those up to second order: (d, d) int."""
    place = np.empty((d, d), np.int64)
    a, c = np.triu_indices(d)
    place[a, c] = place[c, a] = 1 + d + np.arange(len(a))
    return place
