"""What a Gram product gets wrong: a sparse correction for pairs so near that it has no digits left."""

from __future__ import annotations

import numpy as np

from mpiflow.engine.search import candidates
from mpiflow.engine.sparse import Sparse
from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.near import ROUNDING


def doubtful(kernel: Kernel, precision: str) -> float:
    """The kernel's value from which on a tile's entry may belong to a pair below the floor."""
    angle = kernel.floor(precision)
    value = float(kernel.at(np.hypot(angle, np.sqrt(2 * ROUNDING[precision]))))
    # Tiles end at 2^-80: of a kernel so narrow that rounding alone reaches it, every entry is doubtful.
    return np.inf if angle == 0 else 0.99 * value if value > 1e-20 else 0.0


def correction(kernel: Kernel, targets: np.ndarray, sources: np.ndarray, precision: str) -> Sparse | None:
    """K minus what a tile of this precision holds, (n_targets, n_sources); None where none is needed."""
    angle = kernel.floor(precision)
    if angle == 0:
        return None
    pieces = []
    for i, j, _ in candidates(kernel, targets, sources, np.cos(angle) ** 2):
        x, y = targets[i], sources[j]
        value = kernel.pairs(x, y) - kernel.pairs(x, y, floor=angle)
        kept = np.flatnonzero(value)
        pieces.append((i[kept], j[kept], value[kept]))
    return Sparse(pieces, (len(targets), len(sources)), "float64")
