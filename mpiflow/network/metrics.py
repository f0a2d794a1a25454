"""Matrices and metrics of networks at one point (theory 6)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from mpiflow import hermitian
from mpiflow.network.architecture import Architecture


def matrix(v):
    """Hermitian (d, d) complex of d^2 reals, as `hermitian.from_reals`."""
    d = round(v.shape[0] ** 0.5)
    return jnp.tensordot(v, hermitian.from_reals(np.eye(d * d)).astype(jnp.result_type(v, 1j)), 1)


def reals(g):
    """d^2 reals of a Hermitian (d, d), as `hermitian.to_reals`."""
    d = g.shape[0]
    basis = hermitian.from_reals(np.eye(d * d))
    return (g[None] * basis.conj()).sum((1, 2)).real


def along(joined, at, directions):
    """Derivatives of joined(*at) along rows of directions, (c, d, d) complex each: (c, d, d) complex."""
    return jax.vmap(lambda *tangents: jax.jvp(joined, at, tangents)[1])(*directions)


def potential(network: Architecture, theta, z, vectors, parts=None):
    """1 + d_a d_bbar phi in a frame with g_FS = 1: (d, d) complex Hermitian; as of `hessian`."""
    added = hessian(network, theta, z, vectors, parts)
    return added + jnp.eye(len(added), dtype=added.dtype)


def hessian(architecture: Architecture, theta, z, vectors, parts=None):
    """d_a d_bbar phi in a frame with g_FS = 1, for the phi of a network of P(z): (d, d) complex Hermitian.

    z: (n+1,) complex, |z| = 1. vectors: (n+1, d) complex, orthonormal and orthogonal to z. Every unit h of the network is
    carried with d_a h and d_a d_bbar h, as rows of reals: 1 + 2d + d^2 of them pass a layer as one matrix.
    parts: (r, C), 1 on the coordinates of each factor of a product, where |z_i| = 1 and P(z) holds the P(z_i), and 0 between
    them; None for one space.
    """
    d = vectors.shape[1]
    rows = jet(z, vectors) if parts is None else product_jet(z, vectors, parts)
    for weight, bias, act in architecture.layers(theta):
        rows = (rows @ weight).at[0].add(bias)
        if act is not None:
            rows = _activated(rows, act, d)
    return matrix(rows[1 + 2 * d :, 0])


def jet(z, vectors):
    """P(z) as (n+1)^2 reals, d_a P (real parts, then imaginary ones) and d_a d_bbar P: (1 + 2d + d^2, (n+1)^2) reals."""
    d = vectors.shape[1]
    e = vectors.T
    # At |z| = 1, orthogonal to z: d_a |z|^2 = 0 and d_a d_bbar |z|^2 = delta_ab.
    plain = entries(jnp.outer(z, z.conj()))
    first = entries(e[:, :, None] * z.conj())
    mixed = entries(e[:, None, :, None] * e.conj()[None, :, None, :]) - jnp.eye(d)[:, :, None] * plain
    return jnp.concatenate([plain.real[None], first.real, first.imag, _above(mixed)])


def product_jet(z, vectors, parts):
    """The same on a product of projective spaces: d_a d_bbar |z_i|^2 is the metric of factor i."""
    e, inside = vectors.T, parts.T @ parts
    plain = entries(jnp.outer(z, z.conj()) * inside)
    first = entries(e[:, :, None] * z.conj() * inside)
    mixed = entries(e[:, None, :, None] * e.conj()[None, :, None, :] * inside)
    for part in parts:
        mixed -= ((e * part) @ e.conj().T)[:, :, None] * entries(jnp.outer(z * part, z.conj() * part))
    return jnp.concatenate([plain.real[None], first.real, first.imag, _above(mixed)])


def _activated(rows, act, d: int):
    """Rows of a layer's units under h -> act(h): chain rule of first and second order."""
    slope, bend = jax.grad(act), jax.grad(jax.grad(act))
    x, p = rows[0], rows[1 : 1 + d] + 1j * rows[1 + d : 1 + 2 * d]
    curved = jax.vmap(bend)(x) * _above(p[:, None] * p.conj()[None])
    rest = jax.vmap(slope)(x) * rows[1:]
    return jnp.concatenate([act(x)[None], rest[: 2 * d], rest[2 * d :] + curved])


def entries(m):
    """The linear map of `projective.embedding` on matrices: (..., k, k) complex to (..., k^2), real for Hermitian m."""
    i, j = np.triu_indices(m.shape[-1], 1)
    diagonal = jnp.diagonal(m, axis1=-2, axis2=-1)
    up, down = m[..., i, j], m[..., j, i]
    scale = m.real.dtype.type(np.sqrt(0.5))
    return jnp.concatenate([diagonal, scale * (up + down), scale * (up - down) / 1j], axis=-1)


def _above(h):
    """(d, d, k) complex, Hermitian in (d, d), to (d^2, k) reals, in the order of `hermitian.to_reals`."""
    d = h.shape[0]
    i, j = np.triu_indices(d, 1)
    above = h.real.dtype.type(np.sqrt(2.0)) * h[i, j]
    return jnp.concatenate([h[np.arange(d), np.arange(d)].real, above.real, above.imag])


def determinant(g):
    """det g of a Hermitian (d, d), written out for d <= 3."""
    if g.shape[0] == 1:
        return g[0, 0].real
    if g.shape[0] == 2:
        return g[0, 0].real * g[1, 1].real - _square(g[0, 1])
    if g.shape[0] == 3:
        (a, b, c), (x, y, w) = (g[i, i].real for i in range(3)), (g[0, 1], g[0, 2], g[1, 2])
        return a * b * c + 2 * (x * w * y.conj()).real - a * _square(w) - b * _square(y) - c * _square(x)
    return jnp.linalg.det(g).real


def _square(x):
    return x.real**2 + x.imag**2
