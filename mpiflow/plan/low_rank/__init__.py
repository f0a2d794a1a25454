"""The plan of a Kaehler flow, in the same five parts as that of a component flow: shape, memory, seconds, fit, timed."""

from mpiflow.plan.low_rank import fit, memory, seconds, shape, timed

__all__ = ["fit", "memory", "seconds", "shape", "timed"]
