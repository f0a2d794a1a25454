"""Seconds of each stage of a Kaehler flow by a cost model: work of the heaviest rank, plus what goes over the network."""

from __future__ import annotations

from math import comb, log2

from mpiflow.config import Config
from mpiflow.plan.low_rank.memory import state
from mpiflow.plan.low_rank.shape import Shape
from mpiflow.plan.machine import Machine

#: Collectives of a step: sums of losses and measures, the gradient, positivity, triggers.
COLLECTIVES = 14
#: Points whose Kaehler defect is evaluated, and displaced points for each real direction.
_DEFECT, _DISPLACED = 1000, 4


def step(s: Shape, m: Machine) -> dict[str, float]:
    """One step of the flow with its look at the unseen points, by part."""
    sweeps = 2 + 2 * s.iterations
    made = (0 if s.resident else sweeps * s.rows) + (0 if s.watched else s.unseen)
    return {
        "contract": (sweeps * s.rows + s.unseen) * _swept(s, m),
        "prepare": made * _prepared(s, m),
        "losses": (2 * s.rows + s.unseen) * m.point / 2,
        "allreduce": (COLLECTIVES + sweeps) * m.latency * log2(s.ranks) + sweeps * 8 * s.features * m.byte
        if s.ranks > 1
        else 0.0,
    }


def stages(config: Config, s: Shape, m: Machine) -> dict[str, float]:
    """The whole run by stage."""
    f, k = config.flow, config.kernel
    charts = 1 if config.points.chart == "all" else s.coordinates * (s.coordinates - 1)
    frozen = 0 if s.sections or k.preconditioner == "plain" else 1 + (f.steps // k.refreeze if k.refreeze else 0)
    saves = 1 + f.steps // (config.output.every_steps or f.steps or 1)
    displaced = (min(_DEFECT, s.rows) + min(_DEFECT, s.unseen)) * _DISPLACED * 2 * s.dimension
    return {
        "sample": m.start + (s.rows + s.unseen) / s.coordinates * charts * m.line,
        "cluster": 0.0,
        "build": _chosen(s, m) + (s.rows + s.unseen) * _prepared(s, m) + frozen * _normal(s, m),
        "flow": f.steps * sum(step(s, m).values()),
        "save": saves * state(s) * m.written,
        "evaluate": (s.rows + s.unseen + displaced) * (_prepared(s, m) + m.point),
    }


def _swept(s: Shape, m: Machine) -> float:
    """Contraction of what is prepared of one point, or its adjoint."""
    return 8 * s.sections**2 * (1 + s.dimension) * m.flop if s.sections else s.features * s.dimension**2 * m.hessian


def _prepared(s: Shape, m: Machine) -> float:
    """Sections or jets of one point: those of invariants by a recursion that is a triangular product."""
    if s.sections:
        return s.sections * m.section
    jets = comb(s.dimension + 2, 2)
    return s.features * jets * m.jet + 2 * jets * s.features**2 * m.flop


def _normal(s: Shape, m: Machine) -> float:
    """The normal matrix over all own points, and its factor."""
    return s.rows * (4 * s.features * s.dimension**2 * m.hessian + s.features**2 * m.flop) + s.features**3 / 3 * m.flop


def _chosen(s: Shape, m: Machine) -> float:
    """The choice of independent invariants, on rank 0 while the others wait."""
    return 0.0 if s.sections else s.features**2 * m.choice
