"""Plain gradient descent on a finite network that begins at g_FS: the paper's flow before its width is infinite.

With NTK parameters and outputs counted from where they began, g_FS + NN - NN_0 follows the flow of the frozen ReLU NTK
(HR 2.8, kernels.relu) as the width grows; at finite width its kernel moves.
"""

from __future__ import annotations

import numpy as np

from mpiflow.comm import Comm
from mpiflow.errors import NumericalError
from mpiflow.network import inputs, objective
from mpiflow.network.objective import Objective
from mpiflow.ranks.shards import split
from mpiflow.searches.search import halved

#: Points of a chunk, the unit in which ranks share a step.
CHUNK = 250


def centred(goal: Objective, theta: np.ndarray, columns: inputs.Columns) -> inputs.Columns:
    """Columns whose reference is g_FS - NN(theta), so that the additive metric is g_FS at theta."""
    added = np.asarray(objective.metric(goal, theta, columns)) - columns["reference"]
    return columns | {"reference": columns["reference"] - added}


def descend(
    comm: Comm, goal: Objective, theta: np.ndarray, columns: inputs.Columns, dt: float, steps: int
) -> tuple[np.ndarray, float]:
    """theta - dt d/dtheta of the mean loss over the points, `steps` times: (P,) float64, and the sum of the steps.

    A step to where the loss is not finite (det g <= 0 under log) is halved; NumericalError where that does not help.
    columns: of all points, the same on every rank, with volume; ranks share their chunks. Collective.
    """
    slope, time = _slope(comm, goal, columns, theta), 0.0
    for _ in range(steps):

        def tried(step: float, theta=theta, slope=slope):
            trial = theta - step * slope[:-1]
            after = _slope(comm, goal, columns, trial)
            return (trial, after) if np.isfinite(after).all() else None

        found, step, _ = halved(tried, dt)
        if found is None:
            raise NumericalError(f"flow.dt = {dt:g}: no step keeps det g positive; take a wider network")
        (theta, slope), time = found, time + step
    return theta, time


def _slope(comm: Comm, goal: Objective, columns: inputs.Columns, theta: np.ndarray) -> np.ndarray:
    """Gradient of the mean loss, then the loss: (P + 1,)."""
    total = len(columns["volume"])
    starts = range(0, total, CHUNK)
    own = [starts[k] for k in split(len(starts), comm.size, comm.rank)]
    partials = np.zeros((len(own), len(theta) + 1))
    for place, start in enumerate(own):
        partials[place] = objective.chunk(goal, theta, _cut(columns | {"weight": np.ones(total)}, start))
    return comm.sum(np.array(own, np.int64), partials) / total


def _cut(columns: inputs.Columns, start: int) -> inputs.Columns:
    """CHUNK rows, the last one repeated with weight 0 where there are fewer."""
    rows = np.arange(start, start + CHUNK)
    there = rows < len(columns["weight"])
    cut = {name: column[np.where(there, rows, start)] for name, column in columns.items()}
    cut["weight"] = cut["weight"] * there
    return cut
