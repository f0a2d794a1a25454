"""Derivatives of a network of P(z) = z zbar^T as functions of z and zbar apart, for curvature (theory 6)."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from mpiflow.kernels import jets
from mpiflow.network.architecture import Architecture
from mpiflow.network.metrics import entries


def values(network: Architecture, theta, z: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """phi: (P,), (N, C) complex, |z_i| = 1 in each factor, to (N,) float64; parts: (r, C) bool, their coordinates."""
    return np.asarray(_values(network, theta, z, _inside(parts)))


def ambient(network: Architecture, theta, z: np.ndarray, parts: np.ndarray, order: int) -> np.ndarray:
    """d^alpha dbar^beta phi at |z_i| = 1, |alpha|, |beta| <= order <= 2: (N, C) complex to (N, C', C') complex.

    parts: as of `values`. The network is analytic, so z and zbar are varied apart; its products hold as many of one as of
    the other.
    """
    whole = np.asarray(_tensor(network, theta, z, _inside(parts), order))
    size = z.shape[1]
    places = [_place(index, size, order) for index in jets.multi_indices(size, order)]
    return whole[:, places][:, :, places]


def _place(index: tuple[int, ...], size: int, order: int) -> int:
    """Where a multi-index stands among (1 + size)^order products of derivatives, of which 0 is none."""
    padded = (0,) * (order - len(index)) + tuple(1 + i for i in index)
    return sum(digit * (1 + size) ** power for power, digit in enumerate(reversed(padded)))


def _inside(parts: np.ndarray) -> np.ndarray:
    """Whether two coordinates are of one factor: (r, C) to (C, C) bool."""
    return (parts[:, :, None] & parts[:, None, :]).any(0)


def _phi(network: Architecture, theta, z, w, inside):
    return network(theta, entries(jnp.outer(z, w) * inside))[0]


@jax.jit
def _values(network, theta, z, inside):
    return jax.vmap(lambda x: _phi(network, theta, x, x.conj(), inside).real)(z)


def _more(function, argument: int):
    """A function with its derivatives in one argument behind its own values: (...,) to (..., 1 + n)."""
    slope = jax.jacfwd(function, argument, holomorphic=True)
    return lambda z, w: jnp.concatenate([function(z, w)[..., None], slope(z, w)], axis=-1)


@partial(jax.jit, static_argnums=4)
def _tensor(network, theta, z, inside, order):
    theta = theta.astype(jnp.complex128)

    def function(z, w):
        return _phi(network, theta, z, w, inside)

    for argument in [0] * order + [1] * order:
        function = _more(function, argument)
    size = (1 + z.shape[1]) ** order
    return jax.vmap(lambda x: function(x, x.conj()).reshape(size, size))(z)
