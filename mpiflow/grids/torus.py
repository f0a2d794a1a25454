"""All metrics on the torus T^2 or T^3 = [0, 2 pi)^d, periodic symmetric tensors over a flat background (HR 2.38 - 2.42)."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from mpiflow.errors import InputError
from mpiflow.grids import energy, gauges, rk4, starts, symmetric
from mpiflow.grids.curvature import Geometry
from mpiflow.grids.space import Keys, Space
from mpiflow.grids.spectral import Spectral
from mpiflow.grids.whole import Whole
from mpiflow.settings.problem import Seed


class FlatTorus(Space):
    """[manifold] family = "flat-torus": all metrics on a torus of two or three dimensions.

    g_ij is (d(d+1)/2, own rows, n, ...) float64; its derivatives are those of Fourier modes. A metric is cut to
    |k_i| < n/3, as all that moves it is.
    """

    name = "flat-torus"
    gauges = tuple(gauges.GAUGES)
    sliced = True

    class Keys(Keys):
        """Keys of [manifold] beside family = "flat-torus"."""

        dimension: Literal[2, 3] = 2
        """Dimensions of the torus."""
        points: Annotated[int, Field(ge=8, le=4096)] = 32
        """Grid points of a side, of which a third are modes."""
        start: Literal["modes", "bump", "flat"] = "modes"
        """The metric at first: random low modes, a bump, or none of them."""
        amplitude: Annotated[float, Field(ge=-0.99, le=100, description="the metric must stay positive; try 0.1")] = 0.1
        """Of the modes their rms; of the bump its height."""
        modes: Annotated[int, Field(ge=1, le=64)] = 2
        """The largest wave number of the random modes."""
        breadth: Annotated[float, Field(ge=0.05, le=10)] = 1.0
        """Width of the bump. [radian]"""
        seed: Seed = 1
        """Of the random modes."""

        @model_validator(mode="after")
        def _held(self):
            if self.start == "modes" and self.modes * 3 >= self.points:
                raise ValueError(
                    f"modes = {self.modes}: {self.points} points hold wave numbers below {self.points / 3:g}; take fewer "
                    "modes, or more points"
                )
            return self

    def __init__(self, keys: Keys, slab: Whole | None = None):
        super().__init__(keys)
        d, n = keys.dimension, keys.points
        self.components, self.shape = symmetric.components(d), (n,) * d
        # Counted, and measured (tests hold them).
        self.transforms, self.fields, self.starting = (22, 25.7, 9.0) if d == 2 else (55, 54.1, 18.0)
        #: Columns of a spectrum, which are dealt out as rows are.
        self.columns = n if d == 3 else n // 2 + 1
        self._slab = slab or Whole(n, self.columns)

    @cached_property
    def spectral(self) -> Spectral:
        """Transforms, with their wave numbers: as large as two fields, and made where something is computed."""
        return Spectral(self.shape, self._slab)

    def placed(self, slab: Whole) -> FlatTorus:
        """The same torus on a rank that has a slab of it."""
        return FlatTorus(self.keys, slab)

    @property
    def rows(self) -> slice:
        """Rows of axis 0 that this rank has."""
        return self._slab.rows

    @property
    def spacing(self) -> float:
        """2 pi / n, in the flat background."""
        return 2 * np.pi / self.keys.points

    def geometry(self, u: np.ndarray) -> Geometry:
        """What a metric bends."""
        return Geometry(self.spectral, u)

    @property
    def dimension(self) -> int:
        """Of the torus."""
        return self.keys.dimension

    def scalar(self, u: np.ndarray) -> np.ndarray:
        """R, a field."""
        return self.geometry(u).scalar

    def ricci_tensor(self, u: np.ndarray) -> np.ndarray:
        """R_ij: the shape of u."""
        geometry = self.geometry(u)
        return geometry.tensor(geometry.ricci())

    def laplacian(self, u: np.ndarray, field: np.ndarray) -> np.ndarray:
        """g^ij D_i D_j f, a field."""
        return self.geometry(u).laplacian(self.spectral.forward(field))

    def start(self) -> np.ndarray:
        """The metric of the keys on own rows. Raises InputError where it is not positive."""
        k = self.keys
        if k.start == "modes":
            u = starts.modes(self.spectral, k.modes, k.amplitude, k.seed)
        else:
            u = starts.bump(self.spectral, k.amplitude, k.breadth) if k.start == "bump" else starts.flat(self.spectral)
        value, where = self.least(u)
        if value <= 0:
            raise InputError(
                f"manifold.amplitude = {k.amplitude:g}: the metric at the start has the eigenvalue {value:.2g} at grid point "
                f"{list(where)}, and must be positive; lower it"
            )
        return u

    def ricci(self, u: np.ndarray, width: float = 0.0, gauge: str = "hamilton", index: str = "lowered") -> np.ndarray:
        """dg/dt = -2 N_s (Ric_ij + (D_i w_j + D_j w_i) / 2), w the one-form of the gauge; collective on slabs.

        index: "frobenius" takes the deltas of HR 2.13 as they stand: the upper indices of dF/dg stay where they are, and F
        never falls (theory 10).
        """
        geometry = self.geometry(u)
        found = geometry.ricci(gauges.GAUGES[gauge](geometry))
        if index == "frobenius":
            upper = symmetric.raised(geometry.inverse, geometry.tensor(found))
            found = [self.spectral.forward(part) for part in upper]
        factor = -2 * self.spectral.multiplier(width)
        return geometry.tensor([factor * part for part in found])

    def smoothed(self, field: np.ndarray, width: float) -> np.ndarray:
        """N_s of the components of a tensor, or of a function."""
        if field.ndim == len(self.shape):
            return self.spectral.smoothed(field, width)
        return np.stack([self.spectral.smoothed(part, width) for part in field])

    def rate(self, u: np.ndarray, width: float) -> float:
        """The largest rate of a mode: max k^2 exp(-s^2 k^2 / 2) over the least eigenvalue of g."""
        return self.spectral.rate(width) / self.least(u)[0]

    def step_limit(self, u: np.ndarray, width: float) -> float:
        """The longest stable step of RK4 at u: where s is wider than a few grid points 2.785 e s^2 / 2, on any grid."""
        return rk4.REACH / self.rate(u, width)

    def least(self, u: np.ndarray) -> tuple[float, tuple[int, ...]]:
        """The least eigenvalue and its grid point; -inf where a number is none. Collective on slabs."""
        own = symmetric.least(u)
        own = np.where(np.isfinite(own), own, -np.inf)
        row, *rest = np.unravel_index(own.argmin(), own.shape)
        return self.spectral.slab.least(float(own.min()), (int(row) + self.spectral.slab.rows.start, *map(int, rest)))

    def measures(self, u: np.ndarray) -> dict[str, float]:
        """volume, integrals of R and R^2, the greatest |R|, and Perelman's F of the flat measure; collective on slabs."""
        geometry = self.geometry(u)
        r, root = geometry.scalar, geometry.root
        volume, total, square = self.spectral.integral(root, r * root, r * r * root)
        greatest = -self.spectral.slab.least(-float(np.abs(r).max()), ())[0]
        return {
            "volume": volume,
            "integral_R": total,
            "integral_R2": square,
            "greatest_R": greatest,
            "energy": energy.energy(geometry, gauges.phi_of_measure(geometry)),
        }
