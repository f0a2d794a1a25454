"""Kernels that feel only near points: the nearest one, or those within a cut-off."""

from __future__ import annotations

from math import exp

import numpy as np

from mpiflow.engine.near_pairs import doubtful
from mpiflow.engine.nearest_source import nearest
from mpiflow.engine.search import candidates
from mpiflow.engine.sparse import Sparse
from mpiflow.geometry.projective import distance
from mpiflow.kernels.kernel import Kernel

#: Entries below are left out: those beyond 5.15 and 8.5 widths of a Gaussian. |du| <= 2e-6 or 2e-16 times sum |v|.
LEFT_OUT = {"float32": exp(-(5.15**2) / 2), "float64": exp(-(8.5**2) / 2)}

#: Rows of pairs that are judged in one go.
TOGETHER = 8


class Nearest:
    """u = v of the nearest source, found once and exactly; the lowest index on ties."""

    name = "neighbours"

    def __init__(self, kernel: Kernel, targets: np.ndarray, sources: np.ndarray, precision: str = "float64"):
        self.index, self.distance = nearest(targets, sources)

    def apply(self, v: np.ndarray) -> np.ndarray:
        """u = K v. v: (M, c) float64. Returns (N, c) float64."""
        return v[self.index]

    @property
    def bytes(self) -> int:
        """Memory held between steps."""
        return self.index.nbytes + self.distance.nbytes

    @classmethod
    def holds(cls, kernel: Kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """As of `Streamed`."""
        return 16 * shape[0]

    flops = 0


class CutOff:
    """u = K v for a sparse kernel, entries beyond its reach left out: |du| <= LEFT_OUT sum |v|."""

    name = "neighbours"

    def __init__(self, kernel: Kernel, targets: np.ndarray, sources: np.ndarray, precision: str = "float64"):
        reach = min(kernel.reach(LEFT_OUT[precision]), np.pi / 2)
        # Where a Gram product has too few digits, the value comes from the wedge form.
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

    @classmethod
    def holds(cls, kernel: Kernel, n: int, shape: tuple[int, int], precision: str, kept: float) -> int:
        """As of `Streamed`."""
        return int(kept * shape[0] * shape[1]) * (np.dtype(precision).itemsize + 4) + 8 * shape[0]

    @property
    def flops(self) -> int:
        """Floating-point operations of one step on nine columns."""
        return 18 * self.kernel.nnz


def felt_everywhere(kernel: Kernel) -> bool:
    """Whether no point of the manifold is so far that nothing is left of the kernel."""
    reach = kernel.reach(LEFT_OUT["float64"])
    return reach is None or reach >= np.pi / 2


def kept_fraction(kernel: Kernel, points: np.ndarray, precision: str = "float64") -> float:
    """The share of pairs within the cut-off of a sparse kernel, from up to 512 of the points, evenly taken."""
    sample, reach = points[:: max(1, len(points) // 512)], kernel.reach(LEFT_OUT[precision])
    # Some rows at a time: a pair takes the square of the coordinates, which are many where X is embedded.
    starts = range(0, len(sample), TOGETHER)
    within = sum((distance(sample[s : s + TOGETHER, None], sample[None]) < reach).sum() for s in starts)
    return float(within / len(sample) ** 2)
