"""Generic features of any multidegree: K = sum t_i log|z_i|^2 + f(F), F of sections of a multidegree m near k u.

F = sum h_(alpha beta) s_alpha sbar_beta / prod_i |z_i|^(2 m_i) is a function on X for any m. In a frame with |z_i| = 1
d_a dbar_b F = D_a h D_b^dagger - M_(a bbar) S h S^dagger, M = sum m_i g_i, which is k g_t where m = k t.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from mpiflow import hermitian
from mpiflow.backend import HOST, Device, joined
from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.kernels.contraction import collected, mixed, paired, widened
from mpiflow.kernels.costs import Costs
from mpiflow.kernels.features import Draw
from mpiflow.kernels.multisections import MultiSections, multidegree
from mpiflow.settings.section import Positive, Section

if TYPE_CHECKING:
    from mpiflow.ansatz import Ansatz


@dataclass(frozen=True)
class NearestSections(MultiSections):
    """kernel.features = "nearest-sections": those of the whole numbers m_i >= 1 nearest to k u_i, halves rounded up.

    What is prepared has one more row of N_k complex numbers a point, which holds the d^2 reals of M.
    """

    class Keys(Section):
        """Keys of kernel.features beside this name."""

        direction: Annotated[list[Positive], Field(min_length=1)] | None = None
        """The u_i of the multidegree nearest to k u, one for each factor; without it t. e.g. [1.0, 1.5]"""

    keys = Keys()
    name = "nearest-sections"
    # Donaldson's map is one of metrics of the class m / k.
    answers = frozenset()

    @classmethod
    def wanted(cls, surface: Domain, degree: int) -> tuple[int, ...]:
        """m. Raises InputError where M has more reals than there are sections, or where u is not of the manifold."""
        if not hasattr(surface, "kaehler"):
            multidegree(surface, degree)
        u = cls.keys.direction or surface.kaehler
        if len(u) != len(surface.kaehler):
            raise InputError(
                f"kernel.features.direction = {u}: {len(u)} numbers where the manifold has {len(surface.kaehler)} factors; "
                "give one for each"
            )
        m = _nearest(u, degree)
        if surface.functions(m) < surface.dimension**2:
            raise InputError(
                f"kernel.degree = {degree}: there are {surface.functions(m)} sections of degree {list(m)}, and at least "
                f"{surface.dimension**2} are needed; take a higher one"
            )
        return m

    def bytes(self, points: int, d: int, whole: bool = False) -> int:
        """Memory of what `prepare` returns."""
        return 16 * len(self.exponents) * points * (2 + d)

    def prepare(self, frame: Frame, whole: bool = False, device: Device = HOST):
        """S, its derivatives D_a along the frame, and M: (N, 2 + d, N_k) complex on the device."""
        values, m = super().prepare(frame, whole, device), zip(self.multidegree, frame.factors(), strict=True)
        row = np.zeros((values.shape[0], 1, values.shape[2]), np.complex128)
        reals = hermitian.to_reals(sum(power * h for power, (_, h, *_) in m))
        row[:, 0, : reals.shape[1]] = reals
        return joined(device.xp, [values, device.put(row)], axis=1)

    def contract(self, values, loaded, device: Device = HOST, whole: bool = False):
        """Jets of phi as reals: values (N, 2 + d, N_k) and T (N_k, N_k) to (N, r), on the device."""
        rows, m = values.shape[1] - 1, _metric(values, device)
        reals = paired(values, rows, loaded, device)
        for here, there in hermitian.block(rows):
            reals[:, there] -= reals[:, :1] * m[:, here]
        return reals if whole else mixed(reals, rows, device)

    def adjoint(self, values, v, device: Device = HOST):
        """sum over points of H_m . v: values (N, 2 + d, N_k) and v (N, r) to (N_k^2,), on the device."""
        rows, xp = values.shape[1] - 1, device.xp
        whole = widened(v, rows, device)
        whole[:, 0] -= xp.sum(_metric(values, device) * mixed(whole, rows, device), axis=1)
        return collected(values, whole, device)

    def lifted(
        self,
        surface: Domain,
        below: MultiSections,
        coefficients: np.ndarray,
        ansatz: Ansatz,
        k: int,
        to: int,
        draw: Draw,
    ) -> np.ndarray:
        """As of sections of O(k t), where m allows for it; else no functions at all."""
        power = to // k if ansatz.powers else 1
        if np.less(self.multidegree, power * np.array(below.multidegree)).any():
            return np.zeros(len(self))
        return super().lifted(surface, below, coefficients, ansatz, k, to, draw)

    @classmethod
    def complaints(cls, arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
        """As of all sections, and of a multidegree that the run file says."""
        found = list(super().complaints(arrays, degree))
        yield from found
        u = cls.keys.direction
        if u and not found and cls.of(arrays.__getitem__).multidegree != _nearest(u, degree):
            yield f"features/exponents are not of the multidegree {list(_nearest(u, degree))} of kernel.features.direction"

    @classmethod
    def costs(cls, surface: Domain, degree: int, whole: bool = False) -> Costs:
        """As of all sections, with M."""
        found, d = super().costs(surface, degree, whole), surface.dimension
        return replace(found, kept=found.kept * (2 + d) // (1 + d))


def _nearest(u: Sequence[float], degree: int) -> tuple[int, ...]:
    """Of k u, each at least 1."""
    return tuple(max(1, int(np.floor(degree * share + 0.5))) for share in u)


def _metric(values, device: Device):
    """The d^2 reals of M of what is prepared: (N, d^2) on the device."""
    d = values.shape[1] - 2
    return device.xp.real(values[:, -1, : d * d])
