"""The metric that a flow of components predicts, from its frozen kernel and what it accumulated."""

from __future__ import annotations

import numpy as np

from mpiflow import hermitian
from mpiflow.coupling import Coupling, KernelSum
from mpiflow.errors import InputError
from mpiflow.flows.predictor import Predictor
from mpiflow.flows.solved import Solved
from mpiflow.geometry.domain import Domain
from mpiflow.ranks.shards import Layout


class ComponentPredictor(Predictor):
    """g(x) = g_FS(x) - sum_x' K(x, x') A(x') / norm(x), at any point and long after the flow (theory 4).

    accumulated: (n_r, d, d) complex128, A on the own train rows of the coupling. chart: of the run; the components of a
    scalar kernel do not transform, so a prediction is made in this chart and carried to others by their Jacobians.
    """

    def __init__(self, surface: Domain, coupling: Coupling, accumulated: np.ndarray, chart: tuple[int, ...]):
        self.surface, self.coupling, self.chart = surface, coupling, np.array(chart, np.int8)
        self.v = hermitian.to_reals(accumulated)

    @property
    def continuous(self) -> bool:
        """Whether g has derivatives: not of the nearest source, nor across borders of clusters that ignore each other."""
        whole = all(len(sources) == self.coupling.layout.total for sources in self.coupling.lists)
        return whole and not self.coupling.kernel.nearest

    def metric(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g at targets in the given charts: z (n_r, C), chart (n_r, w) to (n_r, d, d) complex128; collective."""
        here = np.broadcast_to(self.chart, chart.shape)
        moved = self.surface.in_chart(z, here)
        kernel_sum = self.coupling.onto(targets, self.surface.embedded(moved), once=True)
        g = self.added(kernel_sum, self.surface.reference(moved, here))
        if (here == chart).all():
            return g
        change = self.surface.transition(z, here, chart)
        return np.where((here == chart).all(1)[:, None, None], g, change.transpose(0, 2, 1) @ g @ change.conj())

    def added(self, kernel_sum: KernelSum, reference: np.ndarray) -> np.ndarray:
        """g from the g_FS of a kernel sum's targets, (n_r, d, d) complex128; collective."""
        return reference - hermitian.from_reals(kernel_sum.apply(self.v))

    def band(self, targets: Layout, z: np.ndarray, time: float) -> np.ndarray:
        """Standard deviation of each real of g over wide networks that begin at random, after a linear flow of a time.

        z: (n_r, C), targets in the run's chart; (n_r,) float64. Collective. Raises InputError for a kernel of no network.
        """
        if not hasattr(self.coupling.kernel, "nngp"):
            raise InputError(
                f"band: the {self.coupling.kernel.name} kernel is of no network that could begin anywhere else; take e.g. relu"
            )
        return Solved(self.coupling).deviation(targets, self.surface.embedded(z), time)
