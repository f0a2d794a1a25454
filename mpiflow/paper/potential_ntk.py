"""The metric-NTK of a potential phi = f(sum_m c_m F_m) along its flow: how far its kernel moves (HR 2.7, theory 4)."""

from __future__ import annotations

import numpy as np

from mpiflow import hermitian
from mpiflow.ansatz.composed import Composed
from mpiflow.flows.potentials import KaehlerFlow
from mpiflow.geometry.domain import Frame


def jacobian(phi: Composed, prepared: np.ndarray, coefficients: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """dg_a/dc_m, a the d^2 reals of g in the chart (`hermitian.to_reals`): (N, d^2, P) float64.

    prepared: (P, N, (1 + d)^2), jets of the F_m in frames, whole. coefficients: (P,). lower: (N, d, d), of the frames. With
    F = sum_m c_m F_m it is dg/dc_m = f' d dbar F_m + f'' (dF_m dbar F + dF dbar F_m) + (f'' d dbar F + f''' dF dbar F) F_m.
    """
    each = hermitian.from_reals(prepared)
    whole = np.tensordot(coefficients, each, 1)
    f = phi.ansatz.derivatives(whole[:, 0, 0].real, phi.degree, 3)
    f1, f2, f3 = (slope[:, None, None] for slope in f[1:])
    along, column = each[:, :, 1:, 0], whole[:, 1:, 0]
    cross = along[..., :, None] * column.conj()[:, None, :]
    bent = f2 * whole[:, 1:, 1:] + f3 * column[:, :, None] * column.conj()[:, None, :]
    g = f1 * each[:, :, 1:, 1:] + f2 * (cross + cross.conj().swapaxes(-1, -2)) + bent * each[:, :, :1, :1]
    return hermitian.to_reals(lower @ g @ lower.conj().swapaxes(-1, -2)).transpose(1, 2, 0)


class PotentialNtk:
    """Theta_ab(x, x') = sum_mn C_mn dg_a(x)/dc_m dg_b(x')/dc_n, C as the flow has it frozen when this is made; collective."""

    def __init__(self, flow: KaehlerFlow):
        self.flow, one = flow, np.eye(len(flow.features))
        c = np.stack([flow.applied(row) for row in one])
        self.root = np.linalg.cholesky((c + c.T) / 2)

    def at(self, frame: Frame) -> np.ndarray:
        """A root of it at points, by the metric of now: (N, d^2, P), products of two of which over P are Theta."""
        prepared = self.flow.features.prepare(frame, True)
        return jacobian(self.flow.phi, prepared, self.flow.state.coefficients, frame.lower) @ self.root
