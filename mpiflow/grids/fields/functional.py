"""Flows down the slope of a functional of the metric, derived from its formula (HR 2.13, 2.38); extra nn."""

from __future__ import annotations

import numpy as np

from mpiflow import streams
from mpiflow.grids import rk4, symmetric
from mpiflow.grids.fields.field import Field
from mpiflow.grids.periodic import Metric, projected
from mpiflow.grids.space import Space

#: Steps of the power iteration that finds the fastest rate, from below, and what is kept of the longest step for that.
_ITERATIONS, _KEPT = 30, 0.9


class Functional(Field):
    """L[g] on a torus: `value` of a metric, written once for the arrays of any library; dg_ij = -g_ia g_jb S^ab.

    S^ij = delta L / delta g_ij over the volume form, by jax.grad; L falls along its local flow. A class of a user's gives
    `value` alone.
    """

    entire = True

    def value(self, metric: Metric):
        """L: a number, of what a metric bends (`grids.periodic.Metric`)."""
        raise NotImplementedError(f'kernel.field = "{self.name}": its class has no value(self, metric)')

    def at(self, u: np.ndarray) -> float:
        """L of a metric u, (c, n, ..., n)."""
        return float(self.value(Metric(u)))

    def slope(self, u: np.ndarray) -> np.ndarray:
        """S^ij, cut to waves below a third of the grid, for the raw slope aliases: (d, d, n, ..., n) float64."""
        # JAX takes a second to load, and few flows ask for it.
        from mpiflow.network.slope import gradient

        metric, cell = Metric(u), (2 * np.pi) ** (u.ndim - 1) / u[0].size
        found = gradient(self, u)[symmetric.places(metric.dimension)] / cell
        # Off the diagonal a component of u stands for two of g.
        shares = np.where(np.eye(metric.dimension), 1.0, 0.5)
        shared = np.multiply.outer(shares, np.ones(u.shape[1:])) * found
        return projected(shared, metric.dimension) / metric.root

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """N_s of -S with lower indices: the shape of u; collective on slabs, each of which knows the whole S."""
        slab = space.spectral.slab
        whole = slab.gathered(u)
        g = Metric(whole).g
        lowered = np.einsum("ia...,ab...,bj...->ij...", g, self.slope(whole), g)
        return np.stack([space.smoothed(-part[slab.rows], width) for part in lowered[np.triu_indices(len(g))]])

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """From the fastest rate of the linearised flow, by power iteration: a user's formula does not tell its own."""
        slab = space.spectral.slab

        def moved_by(whole: np.ndarray) -> np.ndarray:
            return slab.gathered(self.velocity(space, whole[:, slab.rows], width))

        u = slab.gathered(u)
        here, size = moved_by(u), 1e-6 * np.abs(u).max()
        along, rate = streams.same().standard_normal(u.shape), 0.0
        for _ in range(_ITERATIONS):
            along = along * size / np.abs(along).max()
            moved = moved_by(u + along) - here
            rate, along = np.linalg.norm(moved) / np.linalg.norm(along), moved
            if not rate:
                return np.inf
        return float(_KEPT * rk4.REACH / rate)

    def tried(self, beside: dict) -> None:
        """Value a wavy metric. Raises where that is no finite number."""
        wave = 0.1 * np.cos(2 * np.pi * np.arange(8) / 8) * np.ones((8, 1))
        found = np.asarray(self.value(Metric(np.stack([1 + wave, wave.T, 1 + 0 * wave]))))
        if found.shape or found.dtype.kind != "f" or not np.isfinite(found):
            kind = f"{found.dtype}{list(found.shape)}" if found.shape or found.dtype.kind != "f" else found
            raise ValueError(f"value of a metric is {kind}; it must be one finite number")

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError for what is no torus."""
        if not hasattr(space, "geometry"):
            raise ValueError(
                f'kernel.field = "{self.name}": slopes of functionals are known on tori, and manifold.family = '
                f'"{space.name}" is none; take "flat-torus"'
            )
