"""How much the NTK of a network moves while it descends, how far it is from its limit, and what it gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.kernels.relu import ReluNTK
from mpiflow.measures import gain, sigma
from mpiflow.network.empirical_ntk import jacobian

if TYPE_CHECKING:
    from mpiflow.dataset import PointSet
    from mpiflow.network.flow import NetworkFlow

#: Train points, the first ones, between which the NTK is taken.
FIXED = 10


@dataclass(frozen=True)
class Movement:
    """moved: |Theta_end - Theta_0| / |Theta_0|, away: |Theta_0 - Theta_limit| / |Theta_limit| (Frobenius, FIXED points).

    gains: sigma(g_FS) / sigma on train and on unseen points.
    """

    parameters: int
    moved: float
    away: float
    train_gain: float
    gain: float


def movement(flow: NetworkFlow, train: PointSet, test: PointSet) -> Movement:
    """Of a lazy ReLU network after its steps, beside how it began; collective."""
    goal, surface = flow.rule.goal, flow.surface
    z, chart = (
        train.layout.comm.bcast(train.layout.gather(each))[:FIXED] for each in (train.points.z, train.points.chart)
    )
    columns, parameters = goal.kind.columns(surface, z, chart), (goal.architecture.initial(0), flow.progress.theta)
    before, after = (_gram(jacobian(goal, theta, columns)) for theta in parameters)
    w_std, b_std = goal.architecture.tangent
    limit = ReluNTK(depth=goal.architecture.depth, w_std=w_std, b_std=b_std).tile(z, z)
    away = _relative(before, np.kron(limit, np.eye(surface.dimension**2)))
    sets = (train, flow.metric), (test, flow.watch(test)())
    gains = [gain(*(sigma(s.layout, s.points, each) for each in (s.reference(surface), g))) for s, g in sets]
    return Movement(goal.architecture.size, _relative(after, before), away, *gains)


def _gram(slopes: np.ndarray) -> np.ndarray:
    flat = slopes.reshape(-1, slopes.shape[-1])
    return flat @ flat.T


def _relative(found: np.ndarray, whole: np.ndarray) -> float:
    return float(np.linalg.norm(found - whole) / np.linalg.norm(whole))
