"""Average linkage: the paper's."""

from __future__ import annotations

import numpy as np

from mpiflow.clustering import trees
from mpiflow.clustering.linkages.linkage import Linkage


class Average(Linkage):
    """clusters.linkage = "average": least mean distance of members first."""

    name = "average"

    def label(self, z: np.ndarray, count: int) -> np.ndarray:
        """(M, n+1) to (M,) int32."""
        return trees.clusters(trees.condensed_distances(z), self.name, len(z), count)

    def bytes(self, points: int) -> int:
        """16 a pair: distances, and what the tree is made in."""
        return 8 * points**2
