"""Fermat hypersurfaces."""

from __future__ import annotations

import numpy as np

from mpiflow.geometry.families.family import Ambient, Family
from mpiflow.geometry.hypersurface import Hypersurface


class Fermat(Family):
    """[manifold] family = "fermat": sum_i z_i^(n+1) in P^n: torus, K3, quintic, sextic for n = 2, 3, 4, 5."""

    ambient: Ambient = 4
    """The n of P^n."""

    name = "fermat"
    smooth = True

    def equation(self) -> Hypersurface:
        """The equation."""
        size = self.coordinates
        return Hypersurface(size * np.eye(size, dtype=int), np.ones(size))
