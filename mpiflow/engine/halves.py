"""Kernels of finite networks, Phi(x) Phi(x')^T: the sum over units comes last, and no entry of K is ever made."""

from __future__ import annotations

from mpiflow.engine.formula import Formula


class Halves(Formula):
    """u = Phi(targets) (Phi(sources)^T v), for kernels that gather v in their units and spread it; float64."""

    def _sums(self, v) -> list:
        xp, cut = self.device.xp, zip(self.sources, self._cut(v), strict=True)
        units = sum(self.kernel.gathered(y, part, xp) for y, part in cut)
        return [self.kernel.spread(x, units, xp) for x in self.targets]
