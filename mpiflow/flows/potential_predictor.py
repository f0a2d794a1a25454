"""The metric of a potential at any points: g = L (1 + d dbar phi) L^dagger in their charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mpiflow.ansatz.composed import Composed
from mpiflow.backend import HOST, Device
from mpiflow.flows.monge_ampere import LINEAR
from mpiflow.flows.predictor import PotentialPredictor
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.kernels.features import Features
from mpiflow.ranks.shards import TILE, Layout

#: Tiles whose frames are made in one go.
_TOGETHER = 8


class KaehlerPredictor(PotentialPredictor):
    """g_FS + d dbar phi, phi = f(F), F = sum_m c_m F_m; coefficients: (P,); phi: f, by default linear."""

    def __init__(self, surface: Domain, features: Features, coefficients: np.ndarray, phi: Composed = LINEAR):
        self.surface, self.features, self.coefficients, self.phi = surface, features, coefficients, phi

    def metric(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g at targets in the given charts: z (n_r, C), chart (n_r, w) to (n_r, d, d) complex128."""
        return self.onto(targets, z, chart, 0.0)(self.coefficients)

    def potential(self, z: np.ndarray) -> np.ndarray:
        """phi, up to a constant: (N, C) complex points of X, any scale, to (N,) float64."""
        return self.phi.value(self.features.potential(z, self.coefficients))

    def jet(self, there: Frame, order: int) -> np.ndarray:
        """d^alpha dbar^beta phi along X, up to an order, in frames: (N, C, C) complex."""
        return self.phi.jet(self.features.jet(there, self.coefficients, order), self.surface.dimension, order)

    def onto(
        self, targets: Layout, z: np.ndarray, chart: np.ndarray, memory: float, device: Device = HOST
    ) -> Callable[[np.ndarray], np.ndarray]:
        """A function from coefficients (P,) to g at targets; it keeps Hessians that fit in `memory` bytes, on a device."""
        # Tile by tile, each filled up to TILE rows: a row's bits know its tile only.
        tiles = _tiles(targets)
        frames = list(self._frames(tiles, z, chart))
        fits = self.features.bytes(TILE * len(tiles), self.surface.dimension, self.phi.whole) <= memory

        def prepared(there: Frame):
            return self.features.prepare(there, self.phi.whole, device)

        kept = [prepared(there) for there in frames] if fits else None

        def metric(coefficients: np.ndarray) -> np.ndarray:
            g = np.empty((len(z), self.surface.dimension, self.surface.dimension), np.complex128)
            loaded = self.features.load(coefficients, device)
            for place, (rows, there) in enumerate(zip(tiles, frames, strict=True)):
                values = kept[place] if kept else prepared(there)
                jets = device.fetch(self.features.contract(values, loaded, device, self.phi.whole))
                tile = there.lower @ self.phi.metric(jets) @ there.lower.conj().transpose(0, 2, 1)
                g[rows] = tile[: rows.stop - rows.start]
            return g

        return metric

    def _frames(self, tiles: list[slice], z: np.ndarray, chart: np.ndarray) -> Iterator[Frame]:
        """Of each tile, some tiles at a time: of a general Q a tile by itself takes longer to begin than to do."""
        for first in range(0, len(tiles), _TOGETHER):
            together = tiles[first : first + _TOGETHER]
            start, stop = together[0].start, together[-1].stop
            every = self.surface.frame(z[start:stop], chart[start:stop])
            for rows in together:
                yield every[_filled(rows) - start]


def _tiles(targets: Layout) -> list[slice]:
    """Own rows of each own tile of a layout."""
    ends = np.cumsum([0] + [tile.stop - tile.start for tile in targets.tiles]).tolist()
    return [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _filled(rows: slice) -> np.ndarray:
    """TILE of the rows of a tile, the last one again and again where it has fewer."""
    return np.minimum(np.arange(rows.start, rows.start + TILE), rows.stop - 1)
