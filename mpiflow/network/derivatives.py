"""Derivatives of a network of P(z) = z zbar^T as functions of z and zbar apart, for curvature (theory 6)."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from mpiflow.kernels import jets
from mpiflow.network.architecture import Architecture
from mpiflow.network.metrics import entries


def values(network: Architecture, theta, z: np.ndarray) -> np.ndarray:
    """phi of z/|z|: (P,), (N, n+1) complex, any scale, to (N,) float64."""
    unit = z / np.linalg.norm(z, axis=1)[:, None]
    return np.asarray(_values(network, theta, unit))


def ambient(network: Architecture, theta, z: np.ndarray, order: int) -> np.ndarray:
    """d^alpha dbar^beta phi at |z| = 1, |alpha|, |beta| <= order <= 2: (N, n+1) complex to (N, C', C') complex.

    The network is analytic, so z and zbar are varied apart; its products hold as many of one as of the other.
    """
    whole = np.asarray(_tensor(network, theta, z, order))
    size = z.shape[1]
    places = [_place(index, size, order) for index in jets.multi_indices(size, order)]
    return whole[:, places][:, :, places]


def _place(index: tuple[int, ...], size: int, order: int) -> int:
    """Where a multi-index stands among (1 + size)^order products of derivatives, of which 0 is none."""
    padded = (0,) * (order - len(index)) + tuple(1 + i for i in index)
    return sum(digit * (1 + size) ** power for power, digit in enumerate(reversed(padded)))


def _phi(network: Architecture, theta, z, w):
    return network(theta, entries(jnp.outer(z, w)))[0]


@partial(jax.jit, static_argnums=0)
def _values(network, theta, z):
    return jax.vmap(lambda x: _phi(network, theta, x, x.conj()).real)(z)


def _more(function, argument: int):
    """A function with its derivatives in one argument behind its own values: (...,) to (..., 1 + n)."""
    slope = jax.jacfwd(function, argument, holomorphic=True)
    return lambda z, w: jnp.concatenate([function(z, w)[..., None], slope(z, w)], axis=-1)


@partial(jax.jit, static_argnums=(0, 3))
def _tensor(network, theta, z, order):
    theta = theta.astype(jnp.complex128)

    def function(z, w):
        return _phi(network, theta, z, w)

    for argument in [0] * order + [1] * order:
        function = _more(function, argument)
    size = (1 + z.shape[1]) ** order
    return jax.vmap(lambda x: function(x, x.conj()).reshape(size, size))(z)
