"""The tables of a run file as typed models: names, defaults, ranges, and what must fit together."""

from mpiflow.settings.methods import DeltaKernel, GaussianKernel, KaehlerKernel, ReluKernel
from mpiflow.settings.whole import Config

__all__ = ["Config", "DeltaKernel", "GaussianKernel", "KaehlerKernel", "ReluKernel"]
