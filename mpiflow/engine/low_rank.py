"""The low-rank kernel of Kaehler features: u = F C F^T v in two passes over points, nothing of size N^2 anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from mpiflow.backend import HOST, Device
from mpiflow.geometry.domain import Frame
from mpiflow.kernels import kaehler
from mpiflow.ranks.chunks import CHUNK, Chunks


class Features(Protocol):
    """A frozen space of P functions on X, with Hessians H_m = d dbar F_m as d^2 reals in frames."""

    def __len__(self) -> int: ...

    def prepare(self, frame: Frame) -> np.ndarray:
        """What `contract` and `adjoint` need to know of points."""

    def load(self, coefficients: np.ndarray, device: Device = HOST):
        """What `contract` needs of coefficients (P,), on the device."""

    def contract(self, prepared, loaded, device: Device = HOST) -> np.ndarray:
        """sum_m c_m H_m: to (N, d^2) on the host, from what lies on the device."""

    def adjoint(self, prepared, v: np.ndarray, device: Device = HOST) -> np.ndarray:
        """sum over points of H_m . v: (N, d^2) to (P,), both on the host."""

    def bytes(self, points: int, d: int) -> int:
        """Memory of what is prepared."""


class LowRank:
    """Features at the points of some chunks; what is prepared is kept if it fits in `memory` bytes, else made again.

    Which of the two changes no bit. It lies on `device`, where the matrix products are; sums over chunks are the host's.
    CuPy's side has not run on a GPU yet.
    """

    def __init__(
        self, chunks: Chunks, features: Features, frame: Frame, memory: float = 2.0**31, device: Device = HOST
    ):
        self.chunks, self.features, self.frame, self.device = chunks, features, frame, device
        self.size, self.reals = len(features), frame.vectors.shape[2] ** 2
        self.bytes = features.bytes(len(chunks.numbers) * CHUNK, frame.vectors.shape[2])
        self.resident = self.bytes <= memory
        self._kept = []

    def apply(self, coefficients: np.ndarray) -> np.ndarray:
        """sum_m c_m H_m at the own points: (P,) to (n, d^2) float64."""
        result, loaded = np.empty((len(self.frame), self.reals)), self.features.load(coefficients, self.device)
        for rows, prepared in self._each():
            result[rows] = self.features.contract(prepared, loaded, self.device)[: rows.stop - rows.start]
        return result

    def adjoint(self, v: np.ndarray) -> np.ndarray:
        """sum over all points of H_m . v: own (n, d^2) to (P,) float64, on every rank."""
        each = zip(self._each(), self.chunks.each(v), strict=True)
        partials = (self.features.adjoint(s, self.chunks.zeroed(w, rows), self.device) for (rows, s), (_, (w,)) in each)
        return self.chunks.comm.bcast(self.chunks.tree((self.size,), partials))

    def gram(self, inverse: np.ndarray, weight: np.ndarray, residual: np.ndarray) -> np.ndarray | None:
        """sum over points of w [A, 1, r] [A, 1, r]^T with A_m = g^-1 . H_m: (P+2, P+2) on rank 0, None elsewhere.

        For features whose Hessians are prepared one by one, as invariants are.
        inverse: (n, d^2) g^-1 as reals. weight, residual: (n,).
        """
        each = zip(self._each(), self.chunks.each(inverse, weight, residual), strict=True)
        partials = (self._gram(h, gi, self.chunks.zeroed(w, rows), r) for (rows, h), (_, (gi, w, r)) in each)
        return self.chunks.tree((self.size + 2,) * 2, partials)

    def _gram(self, hessian, *columns: np.ndarray) -> np.ndarray:
        xp, (inverse, weight, residual) = self.device.xp, map(self.device.put, columns)
        return self.device.fetch(kaehler.gram(kaehler.traces(hessian, inverse, xp), weight, residual, xp))

    def _each(self) -> Iterator[tuple[slice, object]]:
        for place, (rows, parts) in enumerate(self.chunks.each(*vars(self.frame).values())):
            if place < len(self._kept):
                yield rows, self._kept[place]
                continue
            prepared = self.device.put(self.features.prepare(type(self.frame)(*parts)))
            if self.resident:
                self._kept.append(prepared)
            yield rows, prepared
