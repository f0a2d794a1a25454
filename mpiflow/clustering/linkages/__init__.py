"""How the points of a mini-batch become clusters: a linkage is one file here, and clusters.linkage names it."""

from mpiflow.clustering.linkages.linkage import Linkage

__all__ = ["Linkage"]
