"""A Hermitian matrix between sections and their derivatives at points, and the adjoint: reals of small matrices of a point."""

from __future__ import annotations

from mpiflow import backend, hermitian
from mpiflow.backend import HOST, Device
from mpiflow.kernels import pairing, triangle


def paired(values, rows: int, loaded, device: Device):
    """D_a h D_b^dagger of the first rows of (N, rows or more, N_k), T of h: (N, rows^2) reals, all on the device."""
    own = values if rows == values.shape[1] else values[:, :rows, :]
    left = triangle.times(device.xp.reshape(own, (-1, own.shape[2])), loaded, device)
    return pairing.paired(device.xp.reshape(left, own.shape), values, device)


def mixed(reals, rows: int, device: Device):
    """The reals of d_a dbar_b alone: (N, rows^2) to (N, (rows - 1)^2) on the device."""
    return backend.joined(device.xp, [reals[:, there] for _, there in hermitian.block(rows)], axis=1)


def widened(v, rows: int, device: Device):
    """Reals (N, r) as those of matrices (rows, rows), with zeros where they know no values nor first derivatives: a copy."""
    whole = device.empty((v.shape[0], rows**2), "float32" if v.dtype == device.xp.float32 else "float64")
    parts = [(slice(None),) * 2] if v.shape[1] == rows**2 else hermitian.block(rows)
    whole[:, :] = 0
    for here, there in parts:
        whole[:, there] = v[:, here]
    return whole


def collected(values, weights, device: Device):
    """sum over points of D^dagger W D: the first rows of (N, rows or more, N_k), W (N, rows^2) to (N_k^2,) on the device."""
    xp, rows = device.xp, round(weights.shape[1] ** 0.5)
    own = values if rows == values.shape[1] else values[:, :rows, :]
    weighted = xp.reshape(pairing.weighted(values, weights, device), (-1, values.shape[2]))
    found = triangle.gram(weighted, xp.reshape(own, weighted.shape), device)
    return hermitian.to_reals(found) if device is HOST else hermitian.on_device(found, device)
