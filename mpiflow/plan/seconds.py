"""Seconds of each stage by a cost model: work of the heaviest rank, plus what goes over the network."""

from __future__ import annotations

from math import log2

from mpiflow.config import Config
from mpiflow.plan.machine import Machine
from mpiflow.plan.memory import state
from mpiflow.plan.shape import Shape

#: Collectives of a step: the exchange, sums of losses and measures, positivity, triggers.
COLLECTIVES = 14


def step(s: Shape, m: Machine) -> dict[str, float]:
    """One step of the flow with its look at the unseen points, by part."""
    columns = s.dimension**2
    unseen = "streamed" if s.mode == "symmetric" else s.mode
    entries = s.rows * m.step_entry(s.mode, s.kept) + s.unseen * m.step_entry(unseen, s.kept)
    kernel = entries * s.sources * columns / 9
    # v to all, and from a symmetric engine the sums of all.
    sent = (4 if s.mode == "symmetric" else 2) * 8 * columns * s.sources * (s.ranks > 1)
    return {
        "kernel": kernel,
        "losses": (s.rows + s.unseen) * m.point,
        "exchange": sent * m.byte,
        "allreduce": COLLECTIVES * m.latency * log2(s.ranks) if s.ranks > 1 else 0.0,
    }


def stages(config: Config, s: Shape, m: Machine) -> dict[str, float]:
    """The whole run by stage."""
    each = step(s, m)
    c = config.clusters
    lines = (
        (s.rows + s.unseen)
        / s.coordinates
        * (1 if config.points.chart == "all" else s.coordinates * (s.coordinates - 1))
    )
    batches = -(-s.train // c.batch)
    clustered = 0.0
    if c.count > 1:
        clustered = -(-batches // s.ranks) * min(c.batch, s.train) ** 2 / 2 * m.pair
        clustered += s.rows * min(c.batch, s.train) * m.pair / 4
    filled = m.filled if s.mode not in ("streamed", "symmetric") else m.entry * (config.flow.normalisation == "row")
    kept = s.itemsize * (s.mode == "resident") * m.fresh
    saves = 1 + config.flow.steps // (config.output.every_steps or config.flow.steps or 1)
    displaced = 8 * s.dimension * min(1000, s.unseen) * 2
    return {
        "sample": m.start + lines * m.line,
        "cluster": clustered,
        "build": (s.rows + s.unseen) * s.sources * (filled + kept),
        "flow": config.flow.steps * sum(each.values()),
        "save": saves * state(s) * m.written,
        "evaluate": (s.rows + s.unseen + displaced) * s.sources * max(filled, m.entry),
    }
