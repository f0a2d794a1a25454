"""Finite networks under the flow of the squared distance, beside what they tend to: a Gaussian process (HR 2.9 - 2.12)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil

import jax
import numpy as np

from mpiflow.flows.solved import Solution, covariance
from mpiflow.kernels.relu import ReluNTK
from mpiflow.network.architecture import Architecture

#: Networks that flow side by side.
_TOGETHER = 50


@dataclass(frozen=True)
class Problem:
    """A real function of which `y` (N,) is known at the points x (N, n+1) and wanted at others (M, n+1) of one chart.

    df/dt = -sum over the known points of Theta (f - y), for a time.
    """

    kernel: ReluNTK
    x: np.ndarray
    y: np.ndarray
    others: np.ndarray
    time: float

    def network(self, width: int) -> Architecture:
        """A finite one, of one output, with the parameters of the kernel."""
        k = self.kernel
        return Architecture(2 * self.x.shape[1], 1, width, k.depth, "relu", (k.w_std, k.b_std))

    def exact(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (M,) and covariance (M, M) of f at the other points over infinitely wide networks."""
        k, x, others = self.kernel, self.x, self.others
        rows = Solution(k.tile(x, x)).rows(k.tile(others, x), self.time)
        return rows @ self.y, covariance(rows, k.nngp(others, others), k.nngp(others, x), k.nngp(x, x))

    def ensemble(self, width: int, seeds: range) -> np.ndarray:
        """f at the other points of networks that were begun with these seeds: (seeds, M)."""
        network = self.network(width)
        groups = (seeds[start : start + _TOGETHER] for start in range(0, len(seeds), _TOGETHER))
        return np.concatenate([self._flowed(network, group) for group in groups])

    def departure(self, width: int, seed: int) -> float:
        """How far a network is from its own linearisation at the start, over how far that moved: rms over other points."""
        network = self.network(width)
        first, every = network.initial(seed), _reals(np.concatenate([self.x, self.others]))
        begun, slopes = (np.asarray(array) for array in _linear(network, first, every))
        theta, known = slopes @ slopes.T, len(self.x)
        rows = Solution(theta[:known, :known].copy()).rows(theta[known:, :known], self.time)
        moved = rows @ (self.y - begun[:known])
        found = self._flowed(network, range(seed, seed + 1))[0] - begun[known:]
        return float(np.linalg.norm(found - moved) / np.linalg.norm(moved))

    def _flowed(self, network: Architecture, seeds: range) -> np.ndarray:
        first = np.stack([network.initial(seed) for seed in seeds])
        # The kernel of a narrow network may be twice the limit's; Runge and Kutta bear 2.78 over its largest eigenvalue.
        steps = ceil(2 * self.time * np.linalg.eigvalsh(self.kernel.tile(self.x, self.x))[-1])
        return np.asarray(_ensemble(network, first, _reals(self.x), self.y, _reals(self.others), self.time, steps))


def off(found: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> tuple[float, float]:
    """How far values of networks (count, M) are from a mean (M,) and covariance (M, M), in deviations: the largest of each."""
    deviation = np.sqrt(np.diag(spread))
    return (
        float(np.abs((found.mean(0) - mean) / deviation).max()),
        float(np.abs((np.cov(found.T) - spread) / np.outer(deviation, deviation)).max()),
    )


def _reals(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=1)


def _values(network: Architecture, theta, x):
    return jax.vmap(lambda row: network(theta, row)[0])(x)


@jax.jit
def _linear(network, theta, x):
    """Values (N,) and their slopes (N, P)."""
    return _values(network, theta, x), jax.vmap(jax.grad(lambda t, row: network(t, row)[0]), (None, 0))(theta, x)


@partial(jax.jit, static_argnums=6)
def _ensemble(network, first, x, y, others, time, steps):
    """Values (count, M) after a time of d theta/dt = -d/dtheta |f - y|^2 / 2, by steps of Runge and Kutta's fourth order."""

    def slope(theta):
        value, back = jax.vjp(lambda t: _values(network, t, x), theta)
        return back(y - value)[0]

    def step(_, theta):
        h = time / steps
        a = slope(theta)
        b = slope(theta + h / 2 * a)
        c = slope(theta + h / 2 * b)
        return theta + h / 6 * (a + 2 * b + 2 * c + slope(theta + h * c))

    def one(theta):
        return _values(network, jax.lax.fori_loop(0, steps, step, theta), others)

    return jax.vmap(one)(first)
