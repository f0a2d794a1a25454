"""The plan of a Kaehler flow, in the same four parts as that of a component flow: shape, memory, seconds, fit."""

from mpiflow.plan.kaehler import fit, memory, seconds, shape

__all__ = ["fit", "memory", "seconds", "shape"]
