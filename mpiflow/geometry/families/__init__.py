"""Families of manifolds, a file each. A new one is a class with a `name`, its keys and its equation; see `family`."""

from mpiflow.geometry.families.family import Ambient, Family
from mpiflow.geometry.hypersurface import Hypersurface

__all__ = ["Ambient", "Family", "Hypersurface"]
