"""What a network needs to know of each point, as columns of arrays (axis 0 is the point).

A component network sees the real, then the imaginary parts of the patch-scaled coordinates, as cymetric's do: 2(n+1)
reals, among them a 1 and a 0 that tell the patch. A potential sees P(z) = z zbar^T / |z|^2, which no scaling changes, of each
factor in a product.
"""

from __future__ import annotations

import numpy as np

from mpiflow.geometry.domain import Domain
from mpiflow.geometry.kaehler import orthonormal_frame

Columns = dict[str, np.ndarray]


def component(surface: Domain, z: np.ndarray, chart: np.ndarray) -> Columns:
    """x: (N, 2(n+1)) float64. reference: (N, d, d) complex, g_FS. z: (N, n+1), in its chart."""
    return {"x": np.concatenate([z.real, z.imag], axis=1), "reference": surface.reference(z, chart)}


def potential(surface: Domain, z: np.ndarray, chart: np.ndarray) -> Columns:
    """z: (N, n+1) complex, |z| = 1. vectors: (N, n+1, d), tangents orthonormal in g_FS. lower: (N, d, d) (frames).

    In a product of projective spaces also parts: (N, r, C) float64, 1 on the coordinates of each.
    """
    there = surface.frame(z, chart)
    found = {"z": there.z, "vectors": there.vectors, "lower": there.lower}
    if len(there.parts) > 1:
        found["parts"] = np.repeat(there.parts[None].astype(float), len(z), axis=0)
    return found


def tangents(surface: Domain, z: np.ndarray, chart: np.ndarray) -> Columns:
    """What the Kaehler loss takes: derivatives along X in the chart, and a frame in which g_FS = 1.

    along: (N, d, 2(n+1)) complex, d(Re z, Im z)/dx^c. slope: (N, c, a, b) complex, d_c of g_FS. frame: (N, d, d), E.
    """
    holomorphic = surface.jacobian(z, chart).transpose(0, 2, 1)
    # d/dx^c acts on Re z as J/2 and on Im z as J/2i.
    along = np.concatenate([holomorphic / 2, holomorphic / 2j], axis=2)
    own = orthonormal_frame(surface.reference(z, chart))
    return {"along": along, "slope": surface.reference_slope(z, chart), "frame": own}


def transitions(surface: Domain, z: np.ndarray, chart: np.ndarray) -> Columns:
    """What the transition loss takes: each point in a second chart, that of its second largest coordinate.

    x2, reference2: as of `component`, there. frame2: (N, d, d), E with g_FS = 1 there. carried: (N, d, d), T E, so that
    a metric g of the first chart is (T E)^T g conj(T E) in that frame.
    """
    other = surface.second_chart_of(z)
    moved = surface.in_chart(z, other)
    there = component(surface, moved, other)
    own = orthonormal_frame(there["reference"])
    carried = surface.transition(z, chart, other) @ own
    return {"x2": there["x"], "reference2": there["reference"], "frame2": own, "carried": carried}
