"""Donaldson's T-map, whose fixed point is the balanced metric: what was done before anything was learned (theory 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mpiflow.errors import NumericalError
from mpiflow.searches.search import HALVINGS, Search, halved

if TYPE_CHECKING:
    from mpiflow.flows.monge_ampere import State
    from mpiflow.flows.potentials import KaehlerFlow


class Donaldson(Search):
    """flow.search = "donaldson": dt of the way from the form h in K = log(s^dagger h s) / k to its image under the T-map.

    dt = 1 is the map. It lowers no loss; the form stays positive, and with it the metric, at every dt up to 1.
    """

    name = "donaldson"
    asks: ClassVar = frozenset({"balanced"})
    wants = 'kernel.potential = "log" and "generic", "sections" or invariant kernel.features'

    def step(self, flow: KaehlerFlow, dt: float) -> tuple[float, int]:
        """One step; collective. Raises NumericalError where the moments of the sections are singular."""
        before, direction = flow.state, flow.balanced() - flow.state.coefficients

        def tried(length: float) -> State | None:
            trial = flow.problem.at(before.coefficients + length * direction)
            return trial if trial.least > 0 else None

        trial, taken, rejected = halved(tried, dt)
        if trial is None:
            raise NumericalError(
                f"Donaldson's map, flow.dt = {dt:g}: the metric loses positivity even after {HALVINGS} halvings; take "
                f"{'flow.dt = 1, ' if dt > 1 else ''}more points than sections"
            )
        flow.take(trial)
        return taken, rejected
