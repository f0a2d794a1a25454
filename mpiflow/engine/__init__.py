"""How u = K v is computed: tiles streamed through registers, each for both its halves, kept in memory; or neighbours."""

from mpiflow.engine.device_symmetric import DeviceSymmetric
from mpiflow.engine.nearest_source import nearest
from mpiflow.engine.neighbours import kept_fraction
from mpiflow.engine.symmetric import Symmetric

__all__ = ["DeviceSymmetric", "Symmetric", "kept_fraction", "nearest"]
