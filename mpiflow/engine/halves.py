"""Kernels of finite networks, Phi(x) Phi(x')^T: the sum over units comes last, and no entry of K is ever made."""

from __future__ import annotations

import numpy as np

from mpiflow.backend import HOST, joined
from mpiflow.engine.formula import Formula


class Halves(Formula):
    """u = Phi(targets) (Phi(sources)^T v), for kernels that gather v in their units and spread it; float64."""

    def apply(self, v):
        """u = K v. v: (M, c) float64, on the host or the device. Returns (N, c) float64 where v lies."""
        if isinstance(v, np.ndarray) and self.device is not HOST:
            return self.device.fetch(self.apply(self.device.put(np.ascontiguousarray(v))))
        xp = self.device.xp
        if not all(self.shape):
            return self.device.zeros((self.shape[0], v.shape[1]), "float64")
        starts = np.cumsum([0] + [y.shape[0] for y in self.sources])
        cuts = zip(self.sources, starts[:-1], starts[1:], strict=True)
        units = sum(self.kernel.gathered(y, v[int(a) : int(b), :], xp) for y, a, b in cuts)
        rows = [self.kernel.spread(x, units, xp) for x in self.targets]
        return joined(xp, rows)[: self.shape[0], :]
