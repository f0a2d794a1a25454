"""What points take on this machine, of whatever method their flow is."""

from __future__ import annotations

import numpy as np

from mpiflow import losses, sampling
from mpiflow.config import Config
from mpiflow.functionals import Functional
from mpiflow.functionals.log import Log
from mpiflow.geometry.domain import Domain
from mpiflow.measures import least_eigenvalue
from mpiflow.plan.stopwatch import best, once

#: Points of a step that is timed.
_POINTS = 8192


def timed(config: Config, surface: Domain) -> dict[str, float]:
    """Seconds of what is compiled once, of a line, and of a point in a step besides the kernel."""
    # What needs to know more than eta takes about as long as a function of it.
    loss = Log() if config.flow.loss.asks else config.flow.loss
    start = once(lambda: sampling.chunk(surface, 1, sampling.EVALUATE, 1, None))
    line = best(lambda: sampling.chunk(surface, 1, sampling.EVALUATE, 1, None)) / surface.cuts
    return {
        "start": start,
        "line": line,
        "point": best(lambda: _losses(_POINTS, surface.dimension, loss)) / _POINTS,
    }


def _losses(count: int, d: int, loss: Functional) -> None:
    """What a step does for each point besides the kernel: eta, gradient, update, positivity."""
    g = np.broadcast_to(np.eye(d, dtype=complex), (count, d, d)).copy()
    eta = losses.eta(g, np.ones(count), 1.1)
    g -= 1e-3 * losses.gradient(g, eta, loss)
    losses.determinant(g), least_eigenvalue(g)
