"""What stands beside the Gaussian of a flow on a torus, one a file; kernel.beside names it."""

from mpiflow.grids.beside.beside import Beside

__all__ = ["Beside"]
