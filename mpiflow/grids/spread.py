"""The kernel of a flow on a torus, with all that stands beside its Gaussian, as an operator (HR 2.27, 2.28)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import streams
from mpiflow.grids import symmetric
from mpiflow.grids.pairs import Pairs
from mpiflow.grids.space import Space
from mpiflow.grids.units import Network

if TYPE_CHECKING:
    from mpiflow.grids.weights import Weighted

#: Steps of a power iteration.
_ITERATIONS = 20


class Spread:
    """v to int h(x) alpha(x, x') N_s(x, x') h(x') v(x') r(x') dx', made once for a torus and a width; collective on slabs."""

    def __init__(self, space: Space, width: float, keys: Weighted):
        self.space, self.width, self.keys = space, width, keys
        self.measure = self._measure()
        self.h = None
        if keys.beside is not None:
            volume = np.sqrt(symmetric.inverse(space.start())[1])
            self.h = self._by_rows(keys.beside.h, volume)
            self.measure = self.measure * self._by_rows(keys.beside.density, volume) * self.h
        self.wave = np.cos(space.spectral.coordinates()[0]) if keys.alpha else None

    def __call__(self, field: np.ndarray) -> np.ndarray:
        """The integral of one component."""
        weighted = self.measure * field
        found = self._kernel(weighted)
        if self.wave is not None:
            waved = self.wave * self._kernel(self.wave * weighted)
            found = found + self.keys.alpha * (self._cut(waved) if self.h is None else waved)
        return found if self.h is None else self._cut(self.h * found)

    def _cut(self, field: np.ndarray) -> np.ndarray:
        return self.space.smoothed(field, 0.0)

    @cached_property
    def _kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        """N_s, or what stands in its place."""
        keys = self.keys
        if keys.beside is not None and keys.beside.alpha is not None:
            return Pairs(self.space, self.width, keys.beside.alpha).smoothed
        if keys.units is not None:
            return Network(self.space.spectral, self.width, keys.units, keys.seed).smoothed
        # What a class gives is cut at its end: before, it is local where the width is 0.
        return lambda field: self.space.smoothed(field, self.width) if self.width or self.h is None else field

    def _measure(self) -> np.ndarray:
        """The density of the keys on the own rows, of mean 1 over the torus."""
        keys, space = self.keys, self.space
        x = space.spectral.coordinates()
        if keys.batch is None:
            return 1 + keys.density * np.cos(x[1]) * np.ones_like(sum(x))
        total = int(np.prod(space.shape))
        drawn = streams.batch(keys.seed).integers(0, total, keys.batch)
        return np.bincount(drawn, minlength=total).reshape(space.shape)[space.rows] * (total / keys.batch)

    def _by_rows(self, function: Callable, volume: np.ndarray) -> np.ndarray:
        """A function of (x, volume) on the own rows, row by row: what a formula gives may depend on how much it is given."""
        first, *rest = self.space.spectral.coordinates()
        rows = [
            np.broadcast_to(function([first[row : row + 1], *rest], volume[row : row + 1]), (1, *volume.shape[1:]))
            for row in range(len(volume))
        ]
        return np.concatenate(rows)

    @cached_property
    def rates(self) -> list[float]:
        """Largest eigenvalues of k^2 and of 1 times this operator, over those of N_s, by power iteration."""
        spectral, found = self.space.spectral, []
        for power, largest in ((spectral.square, spectral.rate(self.width)), (1.0, 1.0)):
            v, rate = streams.same().standard_normal(self.space.shape)[self.space.rows], 0.0
            for _ in range(_ITERATIONS):
                moved = spectral.backward(power * spectral.forward(self(v)))
                before, after = spectral.integral(v * v, moved * moved)
                rate, v = (after / before) ** 0.5, moved / after**0.5 if after else v
            found.append(rate / largest)
        return found
