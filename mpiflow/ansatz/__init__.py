"""phi as a function of a sum of features, F = sum_m c_m F_m: one a file here, and kernel.potential names it."""

from mpiflow.ansatz.ansatz import Ansatz

__all__ = ["Ansatz"]
