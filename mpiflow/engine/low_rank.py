"""The low-rank kernel of Kaehler features: u = F C F^T v in two passes over points, nothing of size N^2 anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from mpiflow.backend import HOST, Device, cast, joined
from mpiflow.geometry.domain import Frame
from mpiflow.kernels import kaehler
from mpiflow.kernels.features import Features
from mpiflow.ranks.chunks import Chunks


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
        self.number = "float32" if single else "float64"
        self.size, self.reals = len(features), (d + whole) ** 2
        self.bytes = features.bytes(len(chunks.numbers) * chunks.length, d, whole) // (2 if single else 1)
        self.resident = self.bytes <= memory
        self._kept = []

    def apply(self, coefficients: np.ndarray) -> np.ndarray:
        """sum_m c_m H_m at the own points: (P,) to (n, r) float64."""
        result = np.empty((len(self.frame), self.reals))
        for rows, found in self._contracted(coefficients):
            result[rows] = self.device.fetch(found)[: rows.stop - rows.start]
        return result

    def adjoint(self, v: np.ndarray) -> np.ndarray:
        """sum over all points of H_m . v: own (n, r) to (P,), on every rank."""
        return self._collected(self.device.put(w) for w in self._zeroed(v.astype(self.number, copy=False)))

    def spread(self, v: np.ndarray) -> list:
        """(n, r) float64 as `traced` and `pulled` take it: chunk by chunk on the device."""
        return [self.device.put(w) for w in self._zeroed(v)]

    def traced(self, coefficients: np.ndarray, v: list) -> np.ndarray:
        """v . sum_m c_m H_m at the own points: (P,) and what was spread to (n,) float64."""
        xp, found = self.device.xp, self._contracted(coefficients)
        each = [xp.sum(w * cast(xp, h, "float64"), axis=1) for w, (_, h) in zip(v, found, strict=True)]
        return self.device.fetch(joined(xp, each))[: len(self.frame)] if each else np.empty(0)

    def pulled(self, t: np.ndarray, v: list) -> np.ndarray:
        """sum over all points of t H_m . v: own (n,) and what was spread to (P,) float64, on every rank."""
        filled = np.zeros((len(v), self.chunks.length, 1))
        filled.reshape(-1)[: len(t)] = t
        there = self.device.put(filled)
        return self._collected(cast(self.device.xp, there[k, ...] * w, self.number) for k, w in enumerate(v))

    def _contracted(self, coefficients: np.ndarray) -> Iterator[tuple[slice, object]]:
        """Own rows chunk by chunk, and sum_m c_m H_m of each on the device."""
        loaded = self.features.load(coefficients.astype(self.number, copy=False), self.device)
        for rows, prepared in self.each():
            yield rows, self.features.contract(prepared, loaded, self.device, self.whole)

    def _collected(self, each: Iterable) -> np.ndarray:
        """The sum over all points of H_m . v, of which each chunk's lies on the device: (P,) float64, on every rank."""
        chunks, xp = self.chunks, self.device.xp
        partials = (self.features.adjoint(s, w, self.device) for (_, s), w in zip(self.each(), each, strict=True))
        wide = (cast(xp, p, "float64") for p in partials)
        return chunks.comm.bcast(chunks.tree((self.size,), wide, self.device.fetch))

    def _zeroed(self, v: np.ndarray) -> Iterator[np.ndarray]:
        return (self.chunks.zeroed(w, rows) for rows, (w,) in self.chunks.each(v))

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
        """Own rows chunk by chunk, and what is prepared of the chunk's points, the last one filling it up, on the device."""
        for place, (rows, parts) in enumerate(self.chunks.each(*vars(self.frame).values())):
            if place < len(self._kept):
                yield rows, self._kept[place]
                continue
            prepared = self._rounded(self.features.prepare(type(self.frame)(*parts), self.whole, self.device))
            if self.resident:
                self._kept.append(prepared)
            yield rows, prepared

    def _rounded(self, prepared):
        """As the products take it."""
        if not self.single:
            return prepared
        return cast(self.device.xp, prepared, "complex64" if prepared.dtype == self.device.xp.complex128 else "float32")
