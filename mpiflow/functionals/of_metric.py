"""Functionals of a Kaehler metric that are no mean of a function of eta: they see the potential with its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.functional import Functional

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import MongeAmpere, State


class OfMetric(Functional):
    """L[g] of a potential on the points of a problem, whose measure its means take.

    asks: "metric", that these verbs be asked; "jets", values and first derivatives of features beside the metric; "second",
    their second derivatives; "hessians", features one by one.
    """

    asks: ClassVar = frozenset({"metric"})

    def value(self, eta, xp=np):
        """Nothing, at any point by itself."""
        return 0 * eta

    def measured(self, problem: MongeAmpere, state: State) -> float:
        """L at a state that has all but its loss; collective."""
        raise NotImplementedError(f"flow.loss = {self.name}: its class has no measured(self, problem, state)")

    def gradient(self, problem: MongeAmpere, state: State) -> np.ndarray:
        """dL/dc, (P,); collective."""
        raise NotImplementedError(f"flow.loss = {self.name}: its class has no gradient(self, problem, state)")

    def tried(self, beside: dict) -> None:
        """There is nothing to try without points."""
