"""Kernels of finite networks, Phi(x) Phi(x')^T: the sum over units comes last, and no entry of K is ever made."""

from __future__ import annotations

import numpy as np

from mpiflow.engine.formula import Formula


class Halves(Formula):
    """u = Phi(targets) (Phi(sources)^T v), for kernels that gather v in their units and spread it; float64."""

    def apply(self, v) -> np.ndarray:
        """u = K v. v: (M, c) float64, on the host or the device. Returns (N, c) float64 on the host."""
        if not all(self.shape):
            return np.zeros((self.shape[0], v.shape[1]))
        xp = self.device.xp
        v = self.device.put(np.ascontiguousarray(v)) if isinstance(v, np.ndarray) else v
        starts = np.cumsum([0] + [len(y) for y in self.sources])
        cuts = zip(self.sources, starts[:-1], starts[1:], strict=True)
        units = sum(self.kernel.gathered(y, v[a:b], xp) for y, a, b in cuts)
        rows = [self.device.fetch(self.kernel.spread(x, units, xp)) for x in self.targets]
        return np.concatenate(rows)[: self.shape[0]]
