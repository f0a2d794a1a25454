"""What a network needs to know of each point, as columns of arrays (axis 0 is the point).

A component network sees the real, then the imaginary parts of the patch-scaled coordinates, as cymetric's do: 2(n+1)
reals, among them a 1 and a 0 that tell the patch. A potential sees P(z) = z zbar^T / |z|^2, which no scaling changes.
"""

from __future__ import annotations

import numpy as np

from mpiflow.geometry import charts, fubini_study
from mpiflow.geometry.frames import frame
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.geometry.kaehler import orthonormal_frame

Columns = dict[str, np.ndarray]


def component(surface: Hypersurface, z: np.ndarray, chart: np.ndarray) -> Columns:
    """x: (N, 2(n+1)) float64. reference: (N, d, d) complex, g_FS. z: (N, n+1) with z_i = 1; chart: (N, 2)."""
    reference = fubini_study.pulled_back(z, charts.jacobian(surface, z, chart))
    return {"x": np.concatenate([z.real, z.imag], axis=1), "reference": reference}


def potential(surface: Hypersurface, z: np.ndarray, chart: np.ndarray) -> Columns:
    """z: (N, n+1) complex, |z| = 1. vectors: (N, n+1, d), tangents orthonormal in g_FS. lower: (N, d, d) (frames)."""
    there = frame(surface, z, chart)
    return {"z": there.z, "vectors": there.vectors, "lower": there.lower}


def tangents(surface: Hypersurface, z: np.ndarray, chart: np.ndarray) -> Columns:
    """What the Kaehler loss takes: derivatives along X in the chart, and a frame in which g_FS = 1.

    along: (N, d, 2(n+1)) complex, d(Re z, Im z)/dx^c. slope: (N, c, a, b) complex, d_c of g_FS. frame: (N, d, d), E.
    """
    jacobian = charts.jacobian(surface, z, chart)
    holomorphic = jacobian.transpose(0, 2, 1)
    # d/dx^c acts on Re z as J/2 and on Im z as J/2i.
    along = np.concatenate([holomorphic / 2, holomorphic / 2j], axis=2)
    reference = fubini_study.pulled_back(z, jacobian)
    return {"along": along, "slope": _slope(surface, z, chart, jacobian), "frame": orthonormal_frame(reference)}


def _slope(surface: Hypersurface, z: np.ndarray, chart: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """K_(c a bbar) = d_c d_a d_bbar log|z|^2 in the chart's coordinates: (N, c, a, b) complex."""
    rows, j = np.arange(len(z)), chart[:, 1].astype(int)
    bend = -jacobian.transpose(0, 2, 1) @ surface.hessian(z) @ jacobian / surface.gradient(z)[rows, j][:, None, None]
    square = fubini_study.norm2(z)[:, None, None]
    plain = jacobian.transpose(0, 2, 1) @ jacobian.conj()
    radial = np.einsum("xma,xm->xa", jacobian, z.conj())
    # By powers of 1/|z|^2 of d_c d_a d_bbar log|z|^2 along the curve z(x), whose second derivative is bend e_j.
    curved = bend[..., None] * jacobian[rows, j].conj()[:, None, None, :]
    dragged = bend * z[rows, j].conj()[:, None, None]
    outward = radial.conj()
    second = radial[:, :, None, None] * plain[:, None] + radial[:, None, :, None] * plain[:, :, None]
    second = second + dragged[..., None] * outward[:, None, None, :]
    third = 2 * radial[:, :, None, None] * radial[:, None, :, None] * outward[:, None, None, :]
    s = square[..., None]
    return curved / s - second / s**2 + third / s**3


def transitions(surface: Hypersurface, z: np.ndarray, chart: np.ndarray) -> Columns:
    """What the transition loss takes: each point in a second chart, that of its second largest coordinate.

    x2, reference2: as of `component`, there. frame2: (N, d, d), E with g_FS = 1 there. carried: (N, d, d), T E, so that
    a metric g of the first chart is (T E)^T g conj(T E) in that frame.
    """
    other = _second_chart(surface, z)
    moved = charts.in_chart(z, other)
    there = component(surface, moved, other)
    own = orthonormal_frame(there["reference"])
    carried = charts.transition(surface, z, chart, other) @ own
    return {"x2": there["x"], "reference2": there["reference"], "frame2": own, "carried": carried}


def _second_chart(surface: Hypersurface, z: np.ndarray) -> np.ndarray:
    """(i, j) of the second largest |z_i| and the largest |dQ/dz_j|, j != i: (N, 2) int8."""
    rows, i = np.arange(len(z)), np.argsort(np.abs(z), axis=1)[:, -2]
    slope = np.abs(surface.gradient(z))
    slope[rows, i] = -1.0
    return np.stack([i, slope.argmax(1)], axis=1).astype(np.int8)
