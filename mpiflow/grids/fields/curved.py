"""A flow made of curvatures that a space knows (HR 2.38)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpiflow.grids.fields.field import Field
from mpiflow.grids.space import Space


class Curved(Field):
    """u_ij from what `tensor` makes of curvatures. asks: the functions of a space that it is made of.

    scalar(u): R, (*shape). ricci_tensor(u): R_ij, the shape of u. laplacian(u, f): of a field (*shape).
    """

    asks: ClassVar[tuple[str, ...]] = ("scalar",)

    def tensor(self, space: Space, u: np.ndarray) -> np.ndarray:
        """du/dt of the local flow: the shape of u."""
        raise NotImplementedError(f'kernel.field = "{self.name}": its class has no tensor(self, space, u)')

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """N_s of each component of the tensor: the shape of u."""
        return np.stack([space.smoothed(part, width) for part in self.tensor(space, u)])

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError for a space that lacks a curvature."""
        lacking = [name for name in self.asks if not hasattr(space, name)]
        if lacking:
            raise ValueError(
                f'kernel.field = "{self.name}": it is made of {" and ".join(lacking)}, which manifold.family = '
                f'"{space.name}" has not; "ricci" flows there, and this on a torus'
            )
