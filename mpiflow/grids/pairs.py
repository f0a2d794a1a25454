"""A kernel alpha(x, x') N_s(x, x') on a torus, summed over pairs of grid points, of which none is kept (HR 2.27)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.grids.space import Space

#: Targets and sources of a tile.
_TARGETS, _SOURCES = 256, 1024


def tile(space: Space) -> tuple[int, int]:
    """Targets and sources of the largest tile."""
    total = int(np.prod(space.shape))
    return min(_TARGETS, total // space.shape[0]), min(_SOURCES, total)


class Pairs:
    """sum over x' of alpha(x, x') N_s(x, x') v(x') for own rows; at width 0 alpha(x, x) v(x).

    alpha(x, y) of lists of coordinates. Targets are cut row by row of the grid, sources as they come, so that no tile and no
    bit depends on the number of ranks.
    """

    def __init__(self, space: Space, width: float, alpha: Callable):
        self.space, self.width, self.alpha = space, width, alpha
        n = space.shape[0]
        self.side = 2 * np.pi * np.arange(n) / n
        wave = np.arange(1, -(-n // 3))
        angle = np.subtract.outer(np.arange(n), np.arange(n))[..., None] * wave % n * (2 * np.pi / n)
        #: N_s between points of a circle, of the modes that are kept, times their distance: (n, n).
        self.circle = (1 + 2 * (np.cos(angle) * np.exp(-(width**2) * wave**2 / 2)).sum(-1)) / n

    def smoothed(self, field: np.ndarray) -> np.ndarray:
        """The sum for a field on own rows; collective on slabs."""
        slab, found = self.space.spectral.slab, np.empty_like(field)
        whole = slab.gathered(field[None])[0].ravel() if self.width else field
        for number, row in enumerate(range(slab.rows.start, slab.rows.stop)):
            size = found[number].size
            for start in range(row * size, (row + 1) * size, _TARGETS):
                targets = np.arange(start, min(start + _TARGETS, (row + 1) * size))
                part = self.sum(targets, whole) if self.width else self._here(targets, field[number].ravel(), row)
                found[number].ravel()[targets - row * size] = part
        return found

    def _here(self, targets: np.ndarray, values: np.ndarray, row: int) -> np.ndarray:
        x = [self.side[place] for place in np.unravel_index(targets, self.space.shape)]
        return self.alpha(x, x) * values[targets - row * len(values)]

    def sum(self, targets: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """At some grid points, (N,) int, over the values of all."""
        total, here = 0.0, np.unravel_index(targets, self.space.shape)
        for start in range(0, len(whole), _SOURCES):
            sources = np.arange(start, min(start + _SOURCES, len(whole)))
            there = np.unravel_index(sources, self.space.shape)
            tile = self.alpha([self.side[i][:, None] for i in here], [self.side[j][None] for j in there])
            for i, j in zip(here, there, strict=True):
                tile = tile * self.circle[i[:, None], j]
            total = total + (tile * whole[sources]).sum(axis=1)
        return total
