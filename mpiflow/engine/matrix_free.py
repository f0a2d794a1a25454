"""Generic features at points without the features: sections and their derivatives, contracted with h chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow.engine.chunks import Chunks
from mpiflow.geometry.frames import Frame
from mpiflow.kernels.sections import Sections


class MatrixFree:
    """`apply` and `adjoint` of N_k^2 features in memory of N (1 + d) N_k numbers, or of a chunk where they do not fit.

    Which of the two changes no bit.
    """

    def __init__(self, chunks: Chunks, features: Sections, frame: Frame, memory: float = 2.0**31):
        self.chunks, self.features, self.frame = chunks, features, frame
        self.size, self.reals = len(features), frame.vectors.shape[2] ** 2
        self.resident = self.bytes(len(frame)) <= memory
        self._kept: list[np.ndarray] = []

    def bytes(self, points: int) -> int:
        """Memory of the sections and derivatives of that many points."""
        return 16 * len(self.features.exponents) * (1 + self.frame.vectors.shape[2]) * points

    def apply(self, coefficients: np.ndarray) -> np.ndarray:
        """sum_m c_m H_m at the own points: (P,) to (n, d^2) float64."""
        result = np.empty((len(self.frame), self.reals))
        for rows, values in self._each():
            result[rows] = self.features.apply(values, coefficients)[: rows.stop - rows.start]
        return result

    def adjoint(self, v: np.ndarray) -> np.ndarray:
        """sum over all points of H_m . v: own (n, d^2) to (P,) float64, on every rank."""
        each = zip(self._each(), self.chunks.each(v), strict=True)
        partials = (self.features.adjoint(s, self.chunks.zeroed(w, rows)) for (rows, s), (_, (w,)) in each)
        return self.chunks.comm.bcast(self.chunks.tree((self.size,), partials))

    def _each(self) -> Iterator[tuple[slice, np.ndarray]]:
        for place, (rows, parts) in enumerate(self.chunks.each(*vars(self.frame).values())):
            if place < len(self._kept):
                yield rows, self._kept[place]
                continue
            values = self.features.values(Frame(*parts))
            if self.resident:
                self._kept.append(values)
            yield rows, values
