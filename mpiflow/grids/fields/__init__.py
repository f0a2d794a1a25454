"""How metrics on a grid flow, one vector field a file; kernel.field names it."""

from mpiflow.grids.fields.field import Field

__all__ = ["Field"]
