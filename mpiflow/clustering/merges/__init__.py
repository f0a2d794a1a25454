"""How clusters of mini-batches become those of all: a merge is one file here, and clusters.merge names it."""

from mpiflow.clustering.merges.merge import Merge

__all__ = ["Merge"]
