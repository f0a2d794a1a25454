"""The metric that a flow of components predicts, from its frozen kernel and what it accumulated."""

from __future__ import annotations

import numpy as np

from mpiflow import hermitian, losses
from mpiflow.coupling import Coupling, KernelSum
from mpiflow.errors import InputError
from mpiflow.flows.predictor import Predictor
from mpiflow.flows.solved import Solved
from mpiflow.geometry.domain import Domain
from mpiflow.ranks.shards import Layout


class ComponentPredictor(Predictor):
    """g(x) = g_FS(x) - h(x) sum_x' K(x, x') h(x') A(x') / norm(x), at any point and long after the flow (theory 4).

    accumulated: (n_r, d, d) complex128, A on the own train rows of the coupling. chart: of the run; the components of a
    scalar kernel do not transform, so a prediction is made in this chart and carried to others by their Jacobians.
    power, scale: p of h, and h on the own train rows as `rescaling` has them.
    """

    def __init__(
        self,
        surface: Domain,
        coupling: Coupling,
        accumulated: np.ndarray,
        chart: tuple[int, ...],
        power: float = 0.0,
        scale: np.ndarray | None = None,
    ):
        self.surface, self.coupling, self.chart, self.power = surface, coupling, np.array(chart, np.int8), power
        reals = hermitian.to_reals(accumulated)
        self.v = reals if scale is None else scale * reals

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
        reference = self.surface.reference(moved, here)
        h = rescaling(self.surface.omega2(moved, here), reference, self.power) if self.power else None
        g = self.added(kernel_sum, reference, h)
        if (here == chart).all():
            return g
        change = self.surface.transition(z, here, chart)
        return np.where((here == chart).all(1)[:, None, None], g, change.transpose(0, 2, 1) @ g @ change.conj())

    def added(self, kernel_sum: KernelSum, reference: np.ndarray, scale: np.ndarray | None = None) -> np.ndarray:
        """g from the g_FS of a kernel sum's targets, (n_r, d, d) complex128, and h there; collective."""
        moved = kernel_sum.apply(self.v)
        return reference - hermitian.from_reals(moved if scale is None else scale * moved)

    def band(self, targets: Layout, z: np.ndarray, time: float) -> np.ndarray:
        """Standard deviation of each real of g over wide networks that begin at random, after a linear flow of a time.

        z: (n_r, C), targets in the run's chart; (n_r,) float64. Collective. Raises InputError for a kernel of no network.
        """
        if not hasattr(self.coupling.kernel, "nngp"):
            raise InputError(
                f"band: the {self.coupling.kernel.name} kernel is of no network that could begin anywhere else; take e.g. relu"
            )
        return Solved(self.coupling).deviation(targets, self.surface.embedded(z), time)


def rescaling(omega2: np.ndarray, reference: np.ndarray, power: float) -> np.ndarray | None:
    """h = (|Omega|^2 / det g_FS)^power (HR 2.15 - 2.18), the same in all charts: (N,), (N, d, d) to (N, 1); None for 0."""
    return (omega2 / losses.determinant(reference))[:, None] ** power if power else None
