"""Clusters of points: mini-batches, then a merge across batches and ranks (HR 3.1, theory 5)."""

from mpiflow.doors.door import Door

LINKAGES = Door("clusters.linkage", "mpiflow.clustering.linkages.linkage:Linkage", "mpiflow.clustering.linkages")
MERGES = Door("clusters.merge", "mpiflow.clustering.merges.merge:Merge", "mpiflow.clustering.merges")
