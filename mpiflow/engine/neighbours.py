"""Kernels that feel only near points: the nearest one (Delta), or those within a cut-off (narrow Gaussians)."""

from __future__ import annotations

import numpy as np

from mpiflow.engine.near_pairs import doubtful
from mpiflow.engine.nearest_source import nearest
from mpiflow.engine.search import candidates
from mpiflow.engine.sparse import Sparse
from mpiflow.geometry.fubini_study import distance
from mpiflow.kernels import Delta, Gaussian

#: An entry left out is below exp(-r^2/2) for a cut-off at r widths: |du| <= 2e-6 or 2e-16 times sum |v|.
CUT_OFF = {"float32": 5.15, "float64": 8.5}


class Nearest:
    """u = v of the nearest source, found once and exactly; the lowest index on ties."""

    name = "neighbours"

    def __init__(self, kernel: Delta, targets: np.ndarray, sources: np.ndarray, precision: str = "float64"):
        self.index, self.distance = nearest(targets, sources)

    def apply(self, v: np.ndarray) -> np.ndarray:
        """u = K v. v: (M, c) float64. Returns (N, c) float64."""
        return v[self.index]

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return self.index.nbytes + self.distance.nbytes

    flops = 0


class CutOff:
    """u = K v for a Gaussian, entries beyond the cut-off left out: |du| <= exp(-r^2/2) sum |v|, r in widths."""

    name = "neighbours"

    def __init__(self, kernel: Gaussian, targets: np.ndarray, sources: np.ndarray, precision: str = "float64"):
        reach = min(CUT_OFF[precision] * kernel.width, np.pi / 2)
        # Where a Gram product has too few digits for this width, the value comes from the wedge form.
        near = doubtful(kernel, precision)
        pieces = []
        for i, j, value in candidates(kernel, targets, sources, np.cos(reach) ** 2, valued=precision):
            again = np.flatnonzero(value >= near)
            value[again] = kernel.pairs(targets[i[again]], sources[j[again]])
            pieces.append((i, j, value))
        self.kernel = Sparse(pieces, (len(targets), len(sources)), precision)

    def apply(self, v: np.ndarray) -> np.ndarray:
        """u = K v. v: (M, c) float64. Returns (N, c) float64."""
        return self.kernel @ v

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return self.kernel.bytes

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return 18 * self.kernel.nnz


def kept_fraction(kernel: Gaussian, points: np.ndarray, precision: str = "float64") -> float:
    """The share of pairs within the cut-off, from up to 512 of the points, evenly taken."""
    sample = points[:: max(1, len(points) // 512)]
    d = distance(sample[:, None], sample[None])
    return float(np.mean(d < CUT_OFF[precision] * kernel.width))
