"""Networks with Gaussian kernels, of any width or in the limit; their last layer is trained (HR 2.19 - 2.23, 2.31 - 2.37)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow import streams
from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.profile import Profile
from mpiflow.settings.problem import Seed
from mpiflow.settings.section import Count
from mpiflow.vector.lanes import Lanes

#: Units whose values are made in one go.
_TOGETHER = 1024


class Drawn(Kernel):
    """f(x) = N^(-1/2) sum_i a_i s_i(x), only a trained: K_N(x, x') = sum_i s_i(x) s_i(x') / N, and E s_i(x) s_i(x') as N grows.

    x: the m = 2(n+1) reals Re z, Im z of patch-scaled points. A subclass has `rate`, of its limit exp(-rate |x - x'|^2), and
    draws units, `values`. With as many networks as metrics have components each is moved by one of its own (HR 2.23).
    """

    units: Annotated[int, Field(ge=1, le=2**17)] | None = None
    """Units N of the hidden layer; without it infinitely many. e.g. 1024"""
    seed: Seed = 1
    """Of the weights of finite networks."""
    networks: Count = 1
    """Finite networks: one for all components of the metric, or one for each of them."""

    answers = Kernel.answers | {"ricci"}

    def check(self, config) -> None:
        """Raises ValueError for networks that there are no components for."""
        wanted = config.manifold.dimension**2
        if self.networks not in (1, wanted):
            raise ValueError(
                f"kernel.networks = {self.networks}: one for all, or one for each of the {wanted} components of a metric; "
                f"take 1 or {wanted}"
            )
        if self.networks > 1 and (self.units is None or config.flow.normalisation == "row"):
            raise ValueError(
                f"kernel.networks = {self.networks}: infinitely wide networks are all alike, and those of components have no "
                'common row sum; give kernel.units, and take flow.normalisation = "mean" or "sum"'
            )
        solvers = [asker.asker for asker in (config.search, config.flow.loss) if "solved" in asker.asks]
        if self.networks > 1 and solvers:
            raise ValueError(
                f"kernel.networks = {self.networks}: {solvers[0]} solves one kernel of all components; take 1"
            )

    @property
    def symmetric(self) -> bool:
        """Whether each pair of points need be computed but once: registers know the limit alone."""
        return self.units is None

    @property
    def copies(self) -> int:
        """Tiles of a pair of points."""
        return self.networks

    def rate(self, m: int) -> float:
        """Of the limit, for m reals."""
        raise NotImplementedError

    def values(self, x, weights, biases, xp=np):
        """s_i(x) of reals (N, m), for normal weights (units, m) and uniform biases (units,) in (0, 1): (N, units)."""
        raise NotImplementedError

    def tile(self, x, y, xp=np):
        """K of all pairs. x: (N, n+1), y: (M, n+1) complex. Returns (N, M) float64, of several networks (networks, N, M)."""
        x, y = (xp.concatenate([p.real, p.imag], axis=1) for p in (x, y))
        if self.units is None:
            return xp.exp(-self.rate(x.shape[1]) * sum((u[:, None] - v) ** 2 for u, v in zip(x.T, y.T, strict=True)))
        drawn = [self._sum(number, x, y, xp) / self.units for number in range(self.networks)]
        return drawn[0] if self.networks == 1 else xp.stack(drawn)

    def nngp(self, x, y, xp=np):
        """Covariance of the network's first values: K itself, since its last layer alone is trained (HR 2.9 - 2.12)."""
        return self.tile(x, y, xp)

    @property
    def halves(self) -> bool:
        """Whether there are units to sum over."""
        return self.units is not None

    def gathered(self, y, v, xp=np):
        """sum over points of s_i(y) v, of all networks in a row: (M, n+1), (M, c) to (networks units, c or 1)."""
        y, split = xp.concatenate([y.real, y.imag], axis=1), self.networks > 1
        columns = (v[:, k : k + 1] if split else v for k in range(self.networks))
        each = (
            (block, column) for number, column in enumerate(columns) for block in self._drawn(number, y.shape[1], xp)
        )
        return xp.concatenate([self.values(y, *block, xp).T @ column for block, column in each])

    def spread(self, x, units, xp=np):
        """sum over units of s_i(x) times what was gathered, over N: (networks units, c or 1) to (len(x), c)."""
        x = xp.concatenate([x.real, x.imag], axis=1)
        parts = [units[k * self.units : (k + 1) * self.units] for k in range(self.networks)]
        columns = [self._spread(number, x, part, xp) for number, part in enumerate(parts)]
        return xp.concatenate(columns, axis=1) / self.units

    def pairs(self, x: np.ndarray, y: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """The limit at paired points x, y (N, n+1). Returns (N,) float64."""
        return np.exp(-self.rate(2 * x.shape[1]) * (np.abs(x - y) ** 2).sum(1))

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """The limit K(x, x) = 1: (N,) float64."""
        return np.ones(len(x))

    def floor(self, precision: str) -> float:
        """None: differences keep their digits."""
        return 0.0

    def profile(self, n: int, precision: str) -> DrawnProfile | None:
        return DrawnProfile(precision, n) if self.units is None else None

    def _sum(self, number: int, x, y, xp):
        blocks = self._drawn(number, x.shape[1], xp)
        return sum(self.values(x, *block, xp) @ self.values(y, *block, xp).T for block in blocks)

    def _spread(self, number: int, x, units, xp):
        cuts = (units[start : start + _TOGETHER] for start in range(0, self.units, _TOGETHER))
        blocks = zip(self._drawn(number, x.shape[1], xp), cuts, strict=True)
        return sum(self.values(x, *block, xp) @ cut for block, cut in blocks)

    def _drawn(self, number: int, m: int, xp) -> Iterator[tuple]:
        """Weights and biases of a network, block by block: a wider one begins with the units of a narrower one."""
        for block, start in enumerate(range(0, self.units, _TOGETHER)):
            rng = streams.generator(self.seed, streams.UNITS, (number << 24) + block)
            both = rng.normal(size=(_TOGETHER, m)), rng.uniform(size=_TOGETHER)
            yield tuple(xp.asarray(array[: self.units - start]) for array in both)


@dataclass(frozen=True)
class DrawnProfile(Profile):
    """exp(-rate |x - x'|^2) from differences, so that near points lose no digit."""

    @property
    def flops(self) -> int:
        """Floating-point operations an entry."""
        return 3 * self.numbers + 2 * len(self._exp2) + 8

    def records(self, kernel: Drawn, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reals, scaled so that K is a power of 2; no factor is taken out."""
        u = np.concatenate([points.real, points.imag], axis=1)
        return u * np.sqrt(kernel.rate(u.shape[1]) * np.log2(np.e)), np.ones(len(u))

    def value(self, x: list[Lanes], y: list[Lanes], parameters: list[Lanes]) -> Lanes:
        first, *rest = (a - b for a, b in zip(x, y, strict=True))
        square = first * first
        for difference in rest:
            square = difference.fma(difference, square)
        # As of a Gaussian: subnormal tiles are slow.
        return (-square).max(-80.0).exp2(self._exp2)
