"""Perelman's functional F = int (R + |d phi|^2) e^-phi dV (HR 2.38, theory 10), and how fast the flow raises it."""

from __future__ import annotations

import numpy as np

from mpiflow.grids.curvature import Geometry


def energy(geometry: Geometry, phi: np.ndarray) -> float:
    """F of the spectrum of phi; collective on slabs."""
    weight = np.exp(-geometry.spectral.backward(phi)) * geometry.root
    return geometry.spectral.integral((geometry.scalar + geometry.steepness(phi)) * weight)[0]


def slope(geometry: Geometry, phi: np.ndarray) -> np.ndarray:
    """E_ij = Ric_ij + D_i D_j phi: dF = -int <dg, E> e^-phi dV where e^-phi dV is fixed; a field."""
    return geometry.tensor(geometry.ricci(geometry.gradient(phi)))


def growth(geometry: Geometry, phi: np.ndarray) -> float:
    """dF/dt = 2 int |Ric + Hess phi|^2 e^-phi dV of the flow (HR 2.40); collective on slabs."""
    weight = np.exp(-geometry.spectral.backward(phi)) * geometry.root
    return 2 * geometry.spectral.integral(geometry.size(slope(geometry, phi)) * weight)[0]


def conjugate(geometry: Geometry, phi: np.ndarray) -> np.ndarray:
    """The spectrum of d phi/dt = -Lap phi + |d phi|^2 - R beside Hamilton's flow, well posed backwards in time."""
    return geometry.spectral.forward(geometry.steepness(phi) - geometry.laplacian(phi) - geometry.scalar)
