"""What a Gram product gets wrong: a sparse correction for pairs so near that it has no digits left."""

from __future__ import annotations

import numpy as np

from mpiflow.engine.search import candidates
from mpiflow.engine.sparse import Sparse
from mpiflow.kernels import Gaussian, ReluNTK

# Rounding of a tile's 1 - cos(angle), and the error of a kernel entry (over its largest) that is let pass.
_ROUNDING = {"float32": 3e-7, "float64": 6e-16}
_ALLOWED = {"float32": 2e-6, "float64": 5e-14}
# The ReLU kernel has a cusp: an error e of 1 - cos(angle) changes it by e / (2 pi angle).
_CUSP = {"float32": 0.05, "float64": 2e-3}


def floor(kernel: Gaussian | ReluNTK, precision: str) -> float:
    """The angle below which tiles hold the kernel's value at that angle, and pairs are corrected; 0 if none."""
    if isinstance(kernel, ReluNTK):
        return _CUSP[precision]
    # dK = K rounding / width^2 at most, from d^2 = 2 (1 - cos d): too large while K > 1 / excess.
    excess = _ROUNDING[precision] / (2 * kernel.width**2) / _ALLOWED[precision]
    return float(min(kernel.width * np.sqrt(2 * np.log(excess)), 1.5)) if excess > 1 else 0.0


def doubtful(kernel: Gaussian, precision: str) -> float:
    """The kernel's value from which on a tile's entry may belong to a pair below the floor."""
    angle = floor(kernel, precision)
    value = float(kernel.at(np.hypot(angle, np.sqrt(2 * _ROUNDING[precision]))))
    # Tiles end at 2^-80: of a kernel so narrow that rounding alone reaches it, every entry is doubtful.
    return np.inf if angle == 0 else 0.99 * value if value > 1e-20 else 0.0


def correction(kernel, targets: np.ndarray, sources: np.ndarray, precision: str) -> Sparse | None:
    """K minus what a tile of this precision holds, (n_targets, n_sources); None where none is needed."""
    angle = floor(kernel, precision)
    if angle == 0:
        return None
    pieces = []
    for i, j, _ in candidates(kernel, targets, sources, np.cos(angle) ** 2):
        x, y = targets[i], sources[j]
        value = kernel.pairs(x, y) - kernel.pairs(x, y, floor=angle)
        kept = np.flatnonzero(value)
        pieces.append((i[kept], j[kept], value[kept]))
    return Sparse(pieces, (len(targets), len(sources)), "float64")
