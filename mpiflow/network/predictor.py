"""The metric of a network at any points, always in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import numpy as np

from mpiflow.flows.predictor import PotentialPredictor, Predictor
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.kernels import jets
from mpiflow.network import derivatives, inputs, objective
from mpiflow.network.objective import Objective
from mpiflow.ranks.shards import TILE, Layout


class NetworkPredictor(Predictor):
    """g of a network with parameters theta (P,), in the precision that they have.

    chart: the one that a component network was trained in, from which others are reached by their Jacobians; "all" for a
    network that knows the chart of each point. A potential needs none.
    """

    #: No piece of a network jumps; with ReLU the derivatives do, between points.
    continuous = True

    def __init__(self, surface: Domain, goal: Objective, theta: np.ndarray, chart: tuple[int, ...] | Literal["all"]):
        self.surface, self.goal = surface, goal
        self.theta, self.precision = theta.astype(np.float64), theta.dtype
        self.chart = None if chart == "all" or goal.kind.whole else np.array(chart, np.int8)

    def metric(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g at targets in the given charts: z (n_r, C), chart (n_r, w) to (n_r, d, d) complex128."""
        return self.onto(targets, z, chart)(self.theta)

    def onto(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """A function from parameters (P,) to g at targets; what it needs of the points is kept."""
        here = chart if self.chart is None else np.broadcast_to(self.chart, chart.shape)
        moved = self.surface.in_chart(z, here)
        columns = self.goal.kind.columns(self.surface, moved, here)
        lower = columns.pop("lower", None)
        columns |= begun(self.goal, targets, columns, self.precision)
        change = None if (here == chart).all() else self.surface.transition(z, here, chart)

        def metric(theta: np.ndarray) -> np.ndarray:
            g = tiled(targets, columns, partial(objective.metric, self.goal, theta.astype(np.float64)))
            if lower is not None:
                return lower @ g @ lower.conj().transpose(0, 2, 1)
            return g if change is None else change.transpose(0, 2, 1) @ g @ change.conj()

        return metric


class NetworkPotential(NetworkPredictor, PotentialPredictor):
    """The same of a network that is a Kaehler potential."""

    def potential(self, z: np.ndarray) -> np.ndarray:
        """phi, up to a constant: (N, n+1) complex points of X, any scale, to (N,) float64."""
        there = self.surface.frame(z, self.surface.chart_of(z))
        return derivatives.values(self.goal.architecture, self.theta, there.z, there.parts)

    def jet(self, there: Frame, order: int) -> np.ndarray:
        """d^alpha dbar^beta phi along X, up to an order, in frames: (N, C, C) complex."""
        found = derivatives.ambient(self.goal.architecture, self.theta, there.z, there.parts, order)
        return jets.along(there, found, order)


def predicted(surface: Domain, goal: Objective, theta: np.ndarray, chart) -> NetworkPredictor:
    """The predictor that suits a kind of network, its parameters in float64."""
    chosen = NetworkPotential if goal.kind.whole else NetworkPredictor
    return chosen(surface, goal, theta, chart)


def begun(goal: Objective, layout: Layout, columns: inputs.Columns, precision: str | np.dtype) -> inputs.Columns:
    """What NN_0 gives at the own rows (`Objective.begun`), in float64; nothing where a network counts from 0.

    precision: that of the parameters, to which those of NN_0 are rounded as well, so that g begins at g_FS.
    """
    if goal.architecture.since is None:
        return {}
    first = goal.architecture.initial(0).astype(precision).astype(np.float64)
    return tiled(layout, columns, partial(objective.begun, goal, first))


def tiled(layout: Layout, columns: inputs.Columns, of: Callable[[inputs.Columns], Any]) -> Any:
    """of(columns) of the own rows, arrays of a row each, tile by tile, filled up to TILE rows: bits know their tile only."""
    ends = np.cumsum([0] + [tile.stop - tile.start for tile in layout.tiles])
    parts = []
    for start, stop in zip(ends[:-1], ends[1:], strict=True):
        rows = np.minimum(np.arange(start, start + TILE), stop - 1)
        found = of({name: column[rows] for name, column in columns.items()})
        parts.append(jax.tree.map(lambda each, count=stop - start: np.asarray(each)[:count], found))
    if not parts:
        return jax.tree.map(lambda each: np.zeros(each.shape, each.dtype), jax.eval_shape(of, columns))
    return jax.tree.map(lambda *each: np.concatenate(each), *parts)
