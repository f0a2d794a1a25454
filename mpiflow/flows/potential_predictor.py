"""The metric of a potential at any points: g = L (1 + d dbar phi) L^dagger in their charts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.backend import HOST, Device
from mpiflow.flows.predictor import Predictor
from mpiflow.geometry import curvature
from mpiflow.geometry.frames import Frame, frame
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.kernels import kaehler
from mpiflow.kernels.features import Features
from mpiflow.ranks.shards import TILE, Layout


class KaehlerPredictor(Predictor):
    """g_FS + d dbar phi, phi = sum_m c_m F_m; coefficients: (P,)."""

    #: g has all derivatives.
    continuous = has_potential = True

    def __init__(self, surface: Hypersurface, features: Features, coefficients: np.ndarray):
        self.surface, self.features, self.coefficients = surface, features, coefficients

    def metric(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g at targets in the given charts: z (n_r, n+1), chart (n_r, 2) to (n_r, d, d) complex128."""
        return self.onto(targets, z, chart, 0.0)(self.coefficients)

    def potential(self, z: np.ndarray) -> np.ndarray:
        """phi, up to a constant: (N, n+1) complex points of X, any scale, to (N,) float64."""
        return self.features.potential(z, self.coefficients)

    def curvature(self, z: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and R_(a bbar c dbar), exactly, in frames with g_FS = 1: (N, d, d) and (N, d, d, d, d) complex."""
        d = self.surface.dimension
        g, r = np.empty((len(z), d, d), np.complex128), np.empty((len(z), d, d, d, d), np.complex128)
        for rows in (slice(s, s + TILE) for s in range(0, len(z), TILE)):
            g[rows], r[rows] = self._curvature(z[rows], chart[rows])
        return g, r

    def ricci(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """Ricci tensor R_(a bbar) in the given charts: (N, d, d) complex."""
        lower = frame(self.surface, z, chart).lower
        return lower @ curvature.ricci(*self.curvature(z, chart)) @ lower.conj().transpose(0, 2, 1)

    def _curvature(self, z: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = frame(self.surface, z, chart)
        return curvature.riemann(there, self.features.jet(there, self.coefficients, 2))

    def onto(
        self, targets: Layout, z: np.ndarray, chart: np.ndarray, memory: float, device: Device = HOST
    ) -> Callable[[np.ndarray], np.ndarray]:
        """A function from coefficients (P,) to g at targets; it keeps Hessians that fit in `memory` bytes, on a device."""
        # Tile by tile, each filled up to TILE rows: a row's bits know its tile only.
        tiles = _tiles(targets)
        frames = [frame(self.surface, _filled(z[rows]), _filled(chart[rows])) for rows in tiles]
        fits = self.features.bytes(TILE * len(tiles), self.surface.dimension) <= memory

        def prepared(there: Frame):
            return device.put(self.features.prepare(there))

        kept = [prepared(there) for there in frames] if fits else None

        def metric(coefficients: np.ndarray) -> np.ndarray:
            g = np.empty((len(z), self.surface.dimension, self.surface.dimension), np.complex128)
            loaded = self.features.load(coefficients, device)
            for place, (rows, there) in enumerate(zip(tiles, frames, strict=True)):
                potential = self.features.contract(kept[place] if kept else prepared(there), loaded, device)
                whole = there.lower @ kaehler.metric(potential) @ there.lower.conj().transpose(0, 2, 1)
                g[rows] = whole[: rows.stop - rows.start]
            return g

        return metric


def _tiles(targets: Layout) -> list[slice]:
    """Own rows of each own tile of a layout."""
    ends = np.cumsum([0] + [tile.stop - tile.start for tile in targets.tiles]).tolist()
    return [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def _filled(rows: np.ndarray) -> np.ndarray:
    return rows[np.minimum(np.arange(TILE), len(rows) - 1)]
