"""How much the NTK of a network moves while it descends, how far it is from its limit, and what it gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow.comm import Comm
from mpiflow.dataset import PointSet
from mpiflow.functionals.log import Log
from mpiflow.geometry.domain import Domain
from mpiflow.kernels.relu import ReluNTK
from mpiflow.measures import kappa_of, sigma
from mpiflow.methods.networks.additive import Additive
from mpiflow.network import inputs
from mpiflow.network.architecture import Architecture
from mpiflow.network.descent import centred, descend
from mpiflow.network.empirical_ntk import jacobian
from mpiflow.network.objective import Objective
from mpiflow.network.predictor import tiled

#: Train points, the first ones, between which the NTK is taken.
FIXED = 10


@dataclass(frozen=True)
class Movement:
    """moved: |Theta_end - Theta_0| / |Theta_0|, away: |Theta_0 - Theta_limit| / |Theta_limit| (Frobenius, FIXED points).

    time: share of dt steps that was done, less than 1 where steps were halved. gains: sigma(g_FS) / sigma on train and on
    unseen points.
    """

    parameters: int
    time: float
    moved: float
    away: float
    train_gain: float
    gain: float


class Study:
    """Networks of any width on the same points under the same descent as the frozen `kernel`; collective."""

    def __init__(
        self, comm: Comm, surface: Domain, kernel: ReluNTK, train: PointSet, test: PointSet, dt: float, steps: int
    ):
        self.comm, self.kernel, self.sets, self.dt, self.steps = comm, kernel, (train, test), dt, steps
        self.columns = [_columns(surface, points) for points in self.sets]
        x = self.columns[0]["x"][:FIXED]
        half = x.shape[1] // 2
        d = surface.dimension
        self.ends = (2 * half, d * d)
        self.limit = np.kron(kernel.tile(*[x[:, :half] + 1j * x[:, half:]] * 2), np.eye(d * d))

    def measure(self, width: int, seed: int) -> Movement:
        """Descend on one network from its own beginning."""
        k = self.kernel
        goal = Objective(Architecture(*self.ends, width, k.depth, "relu", (k.w_std, k.b_std)), Additive(), Log())
        first = goal.architecture.initial(seed)
        columns = [centred(goal, first, each) for each in self.columns]
        last, time = descend(self.comm, goal, first, columns[0], self.dt, self.steps)
        fixed = {name: column[:FIXED] for name, column in columns[0].items()}
        before, after = (_gram(jacobian(goal, theta, fixed)) for theta in (first, last))
        gains = [self._gain(goal, last, place, columns[place]) for place in (0, 1)]
        moved, away = _relative(after - before, before), _relative(before - self.limit, self.limit)
        return Movement(goal.architecture.size, time / (self.dt * self.steps), moved, away, *gains)

    def _gain(self, goal: Objective, theta: np.ndarray, place: int, columns: inputs.Columns) -> float:
        points = self.sets[place]
        layout, rows = points.layout, points.layout.rows
        g = tiled(goal, layout, {name: columns[name][rows] for name in ("x", "reference")}, theta)
        reference = self.columns[place]["reference"][rows]
        return float(sigma(layout, points.points, reference) / sigma(layout, points.points, g))


def _columns(surface: Domain, points: PointSet) -> inputs.Columns:
    """The columns of all points, in their order, on every rank."""
    p, layout = points.points, points.layout
    columns = inputs.component(surface, p.z, p.chart)
    columns["volume"] = 1 / (kappa_of(layout, p, columns["reference"]) * p.omega2)
    return {name: layout.comm.bcast(layout.gather(column)) for name, column in columns.items()}


def _gram(slopes: np.ndarray) -> np.ndarray:
    flat = slopes.reshape(-1, slopes.shape[-1])
    return flat @ flat.T


def _relative(difference: np.ndarray, whole: np.ndarray) -> float:
    return float(np.linalg.norm(difference) / np.linalg.norm(whole))
