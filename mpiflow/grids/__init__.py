"""Metrics on real grids (theory 10): the spaces, one a file, what bends on them, and (`grids.fields`) how they flow."""

from mpiflow.grids.space import Space

__all__ = ["Space"]
