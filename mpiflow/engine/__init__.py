"""How u = K v is computed: tiles streamed through registers, tiles kept in memory, or neighbours alone."""

from mpiflow.engine.choice import build, choose
from mpiflow.engine.nearest_source import nearest
from mpiflow.engine.neighbours import kept_fraction

__all__ = ["build", "choose", "kept_fraction", "nearest"]
