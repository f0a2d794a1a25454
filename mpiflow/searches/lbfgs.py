"""The quasi-Newton method with a limited memory: a baseline that knows slopes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.searches.search import Search, descended

if TYPE_CHECKING:
    from mpiflow.flows.potentials import KaehlerFlow

#: Pairs of steps and of what they did to the slope that are remembered.
_PAIRS = 10
#: Halvings after which they are forgotten: what they tell of the curvature is not so here.
_LOST = 4


class LBFGS(Search):
    """flow.search = "lbfgs": dt of the L-BFGS step from the last ten steps and slopes, halved until the flow accepts it.

    It sees no kernel.preconditioner: what it learns of the curvature it learns by walking.
    """

    name = "lbfgs"
    asks: ClassVar = frozenset({"slope"})
    remembers: ClassVar = ("slope", *(f"{kind}{place}" for kind in ("moved", "turned") for place in range(_PAIRS)))

    def step(self, flow: KaehlerFlow, dt: float) -> tuple[float, int]:
        """One step; collective."""
        memory, before = flow.memory, flow.state
        slope = memory["slope"] if memory["slope"].any() else flow.slope()
        direction = _direction(memory, slope)
        if direction is None:
            # As long as the loss is high: the step that would end it, were it linear; none where nothing falls.
            direction = before.objective / (slope @ slope) * slope if slope.any() else slope
        taken, rejected = descended(flow, direction, dt)
        moved, now = flow.state.coefficients - before.coefficients, flow.slope()
        if memory["moved0"].any() and rejected > _LOST:
            memory.update({name: np.zeros_like(array) for name, array in memory.items()})
        elif moved @ (now - slope) > 0:
            _remember(memory, moved, now - slope)
        memory["slope"] = now
        return taken, rejected


def _direction(memory: dict[str, np.ndarray], slope: np.ndarray) -> np.ndarray | None:
    """The inverse Hessian that the remembered pairs make, times the slope: two loops, newest pair first; None without any."""
    pairs = [(memory[f"moved{place}"], memory[f"turned{place}"]) for place in range(_PAIRS)]
    pairs = [(s, y) for s, y in pairs if s.any()]
    if not pairs:
        return None
    found, lengths = slope.copy(), []
    for s, y in pairs:
        lengths.append((s @ found) / (s @ y))
        found -= lengths[-1] * y
    s, y = pairs[0]
    found *= (s @ y) / (y @ y)
    for (s, y), length in zip(reversed(pairs), reversed(lengths), strict=True):
        found += (length - (y @ found) / (s @ y)) * s
    return found


def _remember(memory: dict[str, np.ndarray], moved: np.ndarray, turned: np.ndarray) -> None:
    """A new pair first; the oldest one goes."""
    for kind, newest in (("moved", moved), ("turned", turned)):
        for place in range(_PAIRS - 1, 0, -1):
            memory[f"{kind}{place}"] = memory[f"{kind}{place - 1}"]
        memory[f"{kind}0"] = newest
