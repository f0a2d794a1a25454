"""The closed solution of f' = -K (f - y) for a frozen kernel, and the spread of networks around it (HR 2.9 - 2.12)."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mpiflow.coupling import Coupling
from mpiflow.errors import InputError
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import TILE, Layout
from mpiflow.searches import Search

#: Eigenvalues over the largest one that are not told from zero: what they belong to is left alone.
_NULL = 1e-12
_ASKER = 'flow.search = "exact"'
#: Matrices of the size of a block that exist at once while it is factorised.
TOGETHER = 3


class Solution:
    """f' = -K (f - y) on N points. matrix: (N, N) float64, K over what its sums are divided by; used up.

    asker, cure: the words of who asks for it. Raises InputError for a matrix that is not symmetric, or has a negative
    eigenvalue, under which f would run away.
    """

    def __init__(self, matrix: np.ndarray, asker: str = _ASKER, cure: str = Search.cure):
        size = np.abs(matrix).max(initial=0)
        if np.abs(matrix - matrix.T).max(initial=0) > 1e-9 * size:
            raise InputError(f"{asker}: the kernel is not symmetric on these points; {cure}")
        values, self.vectors = linalg.eigh(matrix, overwrite_a=True, driver="evd")
        self.null = _NULL * np.abs(values).max(initial=0)
        if len(values) and values[0] < -self.null:
            raise InputError(
                f"{asker}: the kernel has the eigenvalue {values[0] / values[-1]:.1e} of its largest one on these points, "
                f"along which no flow converges; {cure}"
            )
        self.values = np.maximum(values, self.null)
        self.told = values > self.null

    def integral(self, time: float) -> np.ndarray:
        """(1 - exp(-t l)) / l of the eigenvalues: (N,); t = inf is allowed."""
        return np.where(self.told, -np.expm1(-time * self.values) / np.where(self.told, self.values, 1), 0)

    def step(self, rest: np.ndarray, time: float) -> np.ndarray:
        """What f loses in a time, (1 - exp(-t K)) rest, and the integral of f - y over it: (N, c) to (2, N, c)."""
        along, integral = self.vectors.T @ rest, self.integral(time)[:, None]
        return np.stack([self.vectors @ (self.values[:, None] * integral * along), self.vectors @ (integral * along)])

    def rows(self, kernel: np.ndarray, time: float) -> np.ndarray:
        """A(t) = K(x, X) K^-1 (1 - exp(-t K)), for which f(x) = f_0(x) - A (f_0 - y): (M, N) to (M, N)."""
        return ((kernel @ self.vectors) * self.integral(time)) @ self.vectors.T


def covariance(rows: np.ndarray, own: np.ndarray, cross: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Of f(x) at M points over networks whose first values have the covariances `own` (M, M), `cross` (M, N), `prior` (N, N).

    rows: (M, N), A(t). Returns K_xx + A K A^T - A K_Xx - (A K_Xx)^T, (M, M).
    """
    mixed = rows @ cross.T
    return own + rows @ prior @ rows.T - mixed - mixed.T


class Solved:
    """The closed solution on the train points of all ranks, each block on one of them: all points, or one cluster; collective.

    coupling: whose lists are either. memory: bytes for a block. asker, cure: of `Solution`. Raises InputError for a larger
    block, and as `Solution` does.
    """

    def __init__(self, coupling: Coupling, memory: float = np.inf, asker: str = _ASKER, cure: str = Search.cure):
        self.coupling, layout = coupling, coupling.layout
        self.norm = float(layout.total) if coupling.normalisation == "mean" else 1.0
        whole = len(coupling.lists[0]) == layout.total
        every = [np.arange(layout.total)] if whole else layout.members
        largest = max(len(block) for block in every)
        if 8 * TOGETHER * largest**2 > memory:
            raise InputError(
                f"{asker}: its kernel of {largest:,} x {largest:,} entries takes {8 * TOGETHER * largest**2 / 2**30:.3g} GiB, "
                f"and engine.memory allows {memory / 2**30:g} GiB; take fewer points or clusters.count > 1, or {cure}"
            )
        numbers = range(layout.comm.rank, len(every), layout.comm.size)
        #: Of the own blocks their train points, and the clusters whose targets feel them.
        self.members = [every[number] for number in numbers]
        self.clusters = [range(layout.count) if whole else [number] for number in numbers]
        own = np.concatenate([np.zeros(0, np.int64), *self.members])
        self.there, self.back = Exchange(layout.comm, layout.rows, own), Exchange(layout.comm, own, layout.rows)
        self.z = _split(self.there(coupling.z), self.members)
        self.blocks = self._factorised(asker, cure)

    def _factorised(self, *words: str) -> list[Solution]:
        found, told = [], None
        try:
            found = [Solution(self._matrix(z), *words) for z in self.z]
        except InputError as error:
            told = error
        # What one rank refuses all do.
        refused = [error for error in self.coupling.layout.comm.allgather(told) if error]
        if refused:
            raise refused[0]
        return found

    def step(self, rest: np.ndarray, time: float) -> np.ndarray:
        """As of `Solution`, of the own train rows: (n_r, c) to (2, n_r, c); collective."""
        parts = _split(self.there(rest), self.members)
        moved = [block.step(part, time).swapaxes(0, 1) for block, part in zip(self.blocks, parts, strict=True)]
        empty = np.zeros((0, 2, rest.shape[1]))
        return self.back(np.concatenate([empty, *moved])).swapaxes(0, 1)

    def deviation(self, targets: Layout, z: np.ndarray, time: float) -> np.ndarray:
        """Standard deviation of f at targets, over networks that begin at random, after a time: (n_r,); collective.

        targets: over the clusters of the train points; z: (n_r, n+1) complex of their own rows.
        """
        wanted = [np.concatenate([targets.members[c] for c in clusters]) for clusters in self.clusters]
        own = np.concatenate([np.zeros(0, np.int64), *wanted])
        there, back = Exchange(targets.comm, targets.rows, own), Exchange(targets.comm, own, targets.rows)
        found = [self._spread(number, part, time) for number, part in enumerate(_split(there(z), wanted))]
        return back(np.concatenate([np.zeros(0), *found]))

    def _spread(self, number: int, z: np.ndarray, time: float) -> np.ndarray:
        kernel, block, y = self.coupling.kernel, self.blocks[number], self.z[number]
        prior, found = self._first_values(y), np.zeros(len(z))
        for cut in (slice(start, start + TILE) for start in range(0, len(z), TILE)):
            x = z[cut]
            rows = block.rows(kernel.tile(x, y) / self.norm, time)
            both = covariance(rows, kernel.nngp(x, x), kernel.nngp(x, y), prior)
            found[cut] = np.sqrt(np.maximum(np.diag(both), 0))
        return found

    def _matrix(self, z: np.ndarray) -> np.ndarray:
        """K of the points of a block over what its sums are divided by, (N, N), by columns: as LAPACK works on it in place."""
        found = np.empty((len(z), len(z)), order="F")
        for cut in (slice(start, start + TILE) for start in range(0, len(z), TILE)):
            found[cut] = self.coupling.kernel.tile(z[cut], z)
            if not np.isfinite(found[cut]).all():
                name = self.coupling.kernel.name
                raise InputError(
                    f'kernel.name = "{name}": its tile is not finite; it must be so at all pairs of points'
                )
        found /= self.norm
        return found

    def _first_values(self, z: np.ndarray) -> np.ndarray:
        """Covariance of the networks' first values at all pairs of points, tile by tile: (N, n+1) to (N, N)."""
        cuts = (z[start : start + TILE] for start in range(0, len(z), TILE))
        return np.concatenate([np.zeros((0, len(z))), *(self.coupling.kernel.nngp(x, z) for x in cuts)])

    @property
    def bytes(self) -> int:
        """Bytes that this rank holds between steps."""
        return 8 * sum(len(block) ** 2 for block in self.members)


def _split(rows: np.ndarray, parts: list[np.ndarray]) -> list[np.ndarray]:
    """Rows that belong to several parts, one after the other, apart; no part for none."""
    return np.split(rows, np.cumsum([len(part) for part in parts])[:-1]) if parts else []
