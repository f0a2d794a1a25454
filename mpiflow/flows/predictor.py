"""What every predictor answers: the metric; and of a potential what only that has."""

from __future__ import annotations

import numpy as np

from mpiflow.errors import InputError
from mpiflow.geometry import curvature
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.ranks.shards import TILE, Layout


class Predictor:
    """A metric that is known at every point. continuous: whether it has derivatives. has_potential: and a potential."""

    continuous: bool
    has_potential = False

    def metric(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g at targets in the given charts: z (n_r, C), chart (n_r, w) to (n_r, d, d) complex128; collective."""
        raise NotImplementedError

    def band(self, targets: Layout, z: np.ndarray, time: float) -> np.ndarray:
        """The spread of g over networks that begin at random, after a time: (n_r, C) to (n_r,). Raises InputError without."""
        raise InputError(
            "band: this run has no frozen kernel of networks; run kernel.name = 'relu' with flow.loss = 'mse'"
        )

    def potential(self, z: np.ndarray) -> np.ndarray:
        """phi of g = g_FS + d dbar phi, up to a constant: (N, C) to (N,). Raises InputError where there is none."""
        raise _missing("potential")

    def ricci(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """R_(a bbar) in the given charts: (N, d, d) complex. Raises InputError without a potential."""
        raise _missing("ricci")

    def curvature(self, z: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and R_(a bbar c dbar) in frames with g_FS = 1. Raises InputError without a potential."""
        raise _missing("curvature")


class PotentialPredictor(Predictor):
    """g = g_FS + d dbar phi on a surface, phi known with its derivatives: exactly Kaehler, and g has all derivatives."""

    surface: Domain
    continuous = has_potential = True

    def jet(self, there: Frame, order: int) -> np.ndarray:
        """d^alpha dbar^beta phi along X, |alpha|, |beta| <= order, in frames: (N, C, C) complex (`kernels.jets`)."""
        raise NotImplementedError

    def curvature(self, z: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and R_(a bbar c dbar), exactly, in frames with g_FS = 1: (N, d, d) and (N, d, d, d, d) complex."""
        d = self.surface.dimension
        g, r = np.empty((len(z), d, d), np.complex128), np.empty((len(z), d, d, d, d), np.complex128)
        for rows in (slice(s, s + TILE) for s in range(0, len(z), TILE)):
            g[rows], r[rows] = self._curvature(z[rows], chart[rows])
        return g, r

    def ricci(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """Ricci tensor R_(a bbar) in the given charts: (N, d, d) complex."""
        lower = self.surface.frame(z, chart).lower
        return lower @ curvature.ricci(*self.curvature(z, chart)) @ lower.conj().transpose(0, 2, 1)

    def _curvature(self, z: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = self.surface.frame(z, chart)
        return curvature.riemann(there, self.jet(there, 2))


def _missing(name: str) -> InputError:
    return InputError(f'{name}: this run has no potential to derive it from; kernel.name = "kaehler" has one')
