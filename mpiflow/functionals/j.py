"""The second term of the Mabuchi energy, which is J of minus the Ricci form of g_FS (HR app. B)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mpiflow.functionals.functional import Functional


class J(Functional):
    """flow.loss = "j": l = (eta - 1) log eta_0, eta_0 that of g_FS: of mean <eta log eta_0> - <log eta_0>.

    <eta log eta> = <eta log(eta / eta_0)> + <eta log eta_0>. By itself it has no minimum at the Ricci-flat metric, and a flow
    of it ends where positivity does.
    """

    name = "j"
    asks: ClassVar = frozenset({"reference"})

    def at(self, reference: np.ndarray) -> Placed:
        """J at points where g_FS has these eta: (N,)."""
        return Placed(np.log(reference))


@dataclass(frozen=True)
class Placed:
    """J at points where log eta_0 is known: (N,)."""

    logarithm: np.ndarray

    def value(self, eta, xp=np):
        """l(eta) of these points: (N,) to (N,)."""
        return (eta - 1) * self.logarithm

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta): (N,) to (N,)."""
        return self.logarithm
