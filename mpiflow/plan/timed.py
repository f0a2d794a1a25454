"""Seconds of what a flow of components does, on this machine."""

from __future__ import annotations

import numpy as np

from mpiflow import engine, sampling
from mpiflow.clustering.minibatch import cluster_batch
from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.geometry.domain import Domain
from mpiflow.plan.stopwatch import best

#: Rows and sources of the kernel that is timed; one of so many shares of the pairs of all sources is.
_ROWS, _SOURCES, _SHARES = 1024, 8192, 4


def seconds(config: Config, surface: Domain) -> dict[str, float]:
    """Entries of a component kernel, and pairs of a clustering."""
    kernel, precision = config.kernel, config.run.precision
    if kernel.nearest:
        raise InputError(
            f"plan --calibrate: the {kernel.name} kernel has no entries to time; its steps cost next to nothing"
        )
    points = sampling.chunk(surface, 1, sampling.EVALUATE, 0, None)
    z = surface.embedded(points.z)
    z = np.resize(z, (_SOURCES, z.shape[1]))
    v = np.ones((_SOURCES, surface.dimension**2))
    entries = _ROWS * _SOURCES
    found = {"pair": best(lambda: cluster_batch(z[:1500], 2)) / (1500 * 1499 / 2)}
    for mode, name in (("streamed", "entry"), ("resident", "stored")):
        built = engine.build(kernel, z[:_ROWS], z, mode=mode, precision=precision)
        found[name] = best(lambda built=built: built.apply(v)) / entries
    if kernel.symmetric:
        paired = engine.Symmetric(kernel, z, precision, parts=_SHARES)
        found["paired"] = best(lambda: paired.shares(v)) * _SHARES / _SOURCES**2
    found["filled"] = best(lambda: engine.build(kernel, z[:_ROWS], z, mode="resident", precision=precision)) / entries
    return found
