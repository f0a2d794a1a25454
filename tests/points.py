"""Points that are hard for a kernel engine, kernels made of tiles, and how exact they must be."""

import numpy as np

from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK

TILED = [
    Gaussian(0.3),
    Gaussian(0.5),
    ReluNTK(1, 1.0, 0.0),
    ReluNTK(2, 1.0, 0.0),
    ReluNTK(2, 1.3, 0.4),
    ReluNTK(3, 1.0, 0.2),
]
#: Error over the largest entry.
ALLOWED = {"float32": 2e-6, "float64": 1e-13}


def fermat(count, n=4, seed=0):
    """Patch-scaled points of the Fermat hypersurface in P^n, on random lines."""
    rng = np.random.default_rng(seed)
    points = np.empty((0, n + 1), complex)
    while len(points) < count:
        a, b = rng.normal(size=(2, n + 1)) + 1j * rng.normal(size=(2, n + 1))
        roots = np.roots(sum(np.poly1d(pair) ** (n + 1) for pair in zip(b, a, strict=True)))
        points = np.concatenate([points, a + roots[:, None] * b])
    points = points[:count]
    return points / points[np.arange(count), np.abs(points).argmax(1)][:, None]


def awkward(count, n=4):
    """Targets and sources with duplicates, near duplicates, antipodes and orthogonal points among them."""
    x, y = fermat(count, n), fermat(count + 5, n, seed=1)
    k = count // 5
    y[:k] = x[:k]
    y[k : 2 * k] = x[:k] + 1e-7 * fermat(k, n, seed=2)
    y[2 * k : 3 * k] = -x[:k]
    x[-(n + 1) :], y[-(n + 1) :] = np.eye(n + 1), np.roll(np.eye(n + 1), 1, axis=0)
    return x, y
