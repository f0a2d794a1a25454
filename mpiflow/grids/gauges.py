"""Gauges of the Ricci flow (HR 2.38 - 2.40, theory 10): one-forms w in dg/dt = -2 Ric_ij - D_i w_j - D_j w_i, as spectra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.grids import ground
from mpiflow.grids.curvature import Geometry

#: Of rounding errors, 1e-16, that grow to 1e-6: the logarithm of the factor.
_GROWN = float(np.log(1e10))

Gauge = Callable[[Geometry], list[np.ndarray] | None]


def hamilton(geometry: Geometry) -> None:
    """w = 0 (HR 2.39)."""
    return None


def deturck(geometry: Geometry) -> list[np.ndarray]:
    """w_i = -g_ik g^jl Gamma^k_jl, of the flat background: every component diffuses."""
    at, every = geometry.at, range(geometry.d)
    vector = [
        sum((1 if i == j else 2) * geometry.inverse[c] * gamma[c] for c, (i, j) in enumerate(geometry.pairs))
        for gamma in geometry.gamma
    ]
    return [geometry.spectral.forward(-sum(geometry.g[at[i][k]] * vector[k] for k in every)) for i in every]


def lowest(geometry: Geometry) -> list[np.ndarray]:
    """w = d phi with e^(-phi/2) the ground state of -4 Lap + R, at every time anew."""
    return geometry.gradient(phi_of_ground(geometry))


def perelman(geometry: Geometry, density: np.ndarray | float = 1.0) -> list[np.ndarray]:
    """w = d phi with e^-phi dV = m fixed (HR 2.40), m the volume of the flat background or another density."""
    return geometry.gradient(phi_of_measure(geometry, density))


def phi_of_ground(geometry: Geometry) -> np.ndarray:
    """The spectrum of -2 log f of the ground state f."""
    return geometry.spectral.forward(-2 * np.log(ground.state(geometry)[1]))


def phi_of_measure(geometry: Geometry, density: np.ndarray | float = 1.0) -> np.ndarray:
    """The spectrum of phi = log(sqrt(g) / m), m > 0 a density in the coordinates."""
    if isinstance(density, float) and density == 1.0:
        return geometry.log_root
    return geometry.log_root - geometry.spectral.forward(np.log(density))


#: By the names of run files.
GAUGES: dict[str, Gauge] = {"hamilton": hamilton, "deturck": deturck, "lambda": lowest, "perelman": perelman}


def safe_time(rate: float, least: float) -> float:
    """How long (2.40) with a fixed measure may flow before rounding errors of 1e-16 are 1e-6.

    It is a backward heat equation for some modes, which grow at up to rate = max k^2 exp(-s^2 k^2 / 2) over the least
    eigenvalue of g.
    """
    return _GROWN * least / rate
