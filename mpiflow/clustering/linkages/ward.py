"""Ward's linkage."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from mpiflow.clustering import trees
from mpiflow.clustering.linkages.linkage import Linkage
from mpiflow.geometry.projective import embedding


class Ward(Linkage):
    """clusters.linkage = "ward": least growth of the sum of squares first, in the embedding P(z)."""

    name = "ward"

    def label(self, z: np.ndarray, count: int) -> np.ndarray:
        """(M, n+1) to (M,) int32."""
        return trees.clusters(embedding(z), self.name, len(z), count)

    def bytes(self, points: int) -> int:
        """None with fastcluster; SciPy takes the distances of all pairs."""
        return 0 if find_spec("fastcluster") else 8 * points**2
