"""C of the frozen kernel of potentials: one a file here, and kernel.preconditioner names it."""

from mpiflow.preconditioners.preconditioner import Preconditioner

__all__ = ["Preconditioner"]
