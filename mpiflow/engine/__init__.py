"""How u = K v is computed: tiles streamed through registers, each for both its halves, kept in memory; or neighbours."""

from mpiflow.engine.choice import build, choose, holds
from mpiflow.engine.nearest_source import nearest
from mpiflow.engine.neighbours import kept_fraction
from mpiflow.engine.symmetric import Symmetric

__all__ = ["Symmetric", "build", "choose", "holds", "kept_fraction", "nearest"]
