"""Points of one projective space P^n: their Fubini-Study distance and an embedding that knows it (theory 1, HR 3.2)."""

from __future__ import annotations

import numpy as np


def norm2(z: np.ndarray) -> np.ndarray:
    """|z|^2 along the last axis: (..., n+1) complex to (...) real."""
    return (z.real**2 + z.imag**2).sum(-1)


def distance(z: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Geodesic distance of paired points (HR 3.2), correct to its last digits for near pairs as well.

    z, w: (..., n+1) complex, any scale, broadcast. Returns (...) float64 in [0, pi/2].
    atan2(|z ^ w|, |<z, w>|): arccos of the overlap alone has a floor of 1.5e-8 (HR 3.4).
    """
    overlap = np.abs((z * w.conj()).sum(-1))
    i, j = np.triu_indices(z.shape[-1], 1)
    wedge = z[..., i] * w[..., j] - z[..., j] * w[..., i]
    return np.arctan2(np.sqrt(norm2(wedge)), overlap)


def distances(z: np.ndarray, w: np.ndarray) -> np.ndarray:
    """All geodesic distances between two sets, by one complex matrix product.

    z: (N, n+1), w: (M, n+1) complex, any scale. Returns (N, M) float64 in [0, pi/2], absolute error 1e-15 / d
    (2e-8 at d = 0): use `distance` for pairs nearer than 1e-5.
    """
    overlap = np.abs(unit(z) @ unit(w).conj().T)
    return np.arccos(np.minimum(overlap, 1.0))


def unit(z: np.ndarray) -> np.ndarray:
    """Points scaled to |z| = 1: (..., n+1) complex."""
    return z / np.sqrt(norm2(z))[..., None]


def embedding(z: np.ndarray) -> np.ndarray:
    """The isometric-up-to-monotone embedding P(z) = z zbar^T / |z|^2 as reals, |P(z) - P(w)| = sqrt2 sin d(z, w).

    z: (N, n+1) complex. Returns (N, (n+1)^2) float64: the diagonal, then sqrt2 Re and sqrt2 Im above it; |P| = 1.
    Nearest in the Fubini-Study metric is nearest here, so any Euclidean search or k-means serves.
    """
    z = unit(z)
    i, j = np.triu_indices(z.shape[-1], 1)
    cross = np.sqrt(2.0) * z[:, i] * z[:, j].conj()
    return np.concatenate([z.real**2 + z.imag**2, cross.real, cross.imag], axis=1)
