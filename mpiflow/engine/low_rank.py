"""The low-rank kernel of Kaehler features: u = F C F^T v in two passes over points, nothing of size N^2 anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow.backend import HOST, Device
from mpiflow.geometry.domain import Frame
from mpiflow.kernels import kaehler
from mpiflow.kernels.features import Features
from mpiflow.ranks.chunks import CHUNK, Chunks


class LowRank:
    """Features at the points of some chunks; what is prepared is kept if it fits in `memory` bytes, else made again.

    Which of the two changes no bit. It lies on `device`, where the matrix products are; sums over chunks are the host's.
    whole: whether values and first derivatives are wanted, too (`kernels.features`); r reals a point are known of a function.
    single: whether products are float32 and complex64; sums over chunks stay float64.
    """

    def __init__(
        self,
        chunks: Chunks,
        features: Features,
        frame: Frame,
        memory: float = 2.0**31,
        device: Device = HOST,
        whole: bool = False,
        single: bool = False,
    ):
        self.chunks, self.features, self.frame, self.device = chunks, features, frame, device
        self.whole, self.single, d = whole, single, frame.vectors.shape[2]
        self.size, self.reals = len(features), (d + whole) ** 2
        self.bytes = features.bytes(len(chunks.numbers) * CHUNK, d, whole) // (2 if single else 1)
        self.resident = self.bytes <= memory
        self._kept = []

    def apply(self, coefficients: np.ndarray) -> np.ndarray:
        """sum_m c_m H_m at the own points: (P,) to (n, r) float64."""
        result = np.empty((len(self.frame), self.reals))
        loaded = self.features.load(self._rounded(coefficients), self.device)
        for rows, prepared in self.each():
            found = self.features.contract(prepared, loaded, self.device, self.whole)
            result[rows] = found[: rows.stop - rows.start]
        return result

    def adjoint(self, v: np.ndarray) -> np.ndarray:
        """sum over all points of H_m . v: own (n, r) to (P,) float64, on every rank."""
        each = zip(self.each(), self.chunks.each(self._rounded(v)), strict=True)
        partials = (self.features.adjoint(s, self.chunks.zeroed(w, rows), self.device) for (rows, s), (_, (w,)) in each)
        return self.chunks.comm.bcast(self.chunks.tree((self.size,), (np.asarray(p, np.float64) for p in partials)))

    def gram(self, inverse: np.ndarray, weight: np.ndarray, residual: np.ndarray) -> np.ndarray | None:
        """sum over points of w [A, 1, r] [A, 1, r]^T with A_m = inverse . H_m: (P+2, P+2) on rank 0, None elsewhere.

        For features whose Hessians are prepared one by one.
        inverse: (n, r), d log det g of each real. weight, residual: (n,).
        """
        each = zip(self.each(), self.chunks.each(inverse, weight, residual), strict=True)
        partials = (self._gram(h, gi, self.chunks.zeroed(w, rows), r) for (rows, h), (_, (gi, w, r)) in each)
        return self.chunks.tree((self.size + 2,) * 2, partials)

    def _gram(self, hessian, *columns: np.ndarray) -> np.ndarray:
        xp, (inverse, weight, residual) = self.device.xp, map(self.device.put, columns)
        return self.device.fetch(kaehler.gram(kaehler.traces(hessian, inverse, xp), weight, residual, xp))

    def each(self) -> Iterator[tuple[slice, object]]:
        """Own rows chunk by chunk, and what is prepared of CHUNK points there, the last one again and again, on the device."""
        for place, (rows, parts) in enumerate(self.chunks.each(*vars(self.frame).values())):
            if place < len(self._kept):
                yield rows, self._kept[place]
                continue
            prepared = self.device.put(self._rounded(self.features.prepare(type(self.frame)(*parts), self.whole)))
            if self.resident:
                self._kept.append(prepared)
            yield rows, prepared

    def _rounded(self, array: np.ndarray) -> np.ndarray:
        """As the products take it."""
        return array.astype({8: np.float32, 16: np.complex64}[array.itemsize]) if self.single else array
