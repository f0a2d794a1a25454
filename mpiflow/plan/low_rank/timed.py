"""Seconds of what a Kaehler flow does, on this machine."""

from __future__ import annotations

import time
from math import comb

import numpy as np

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.geometry.domain import Domain
from mpiflow.methods.potentials import features
from mpiflow.plan.stopwatch import best
from mpiflow.ranks.chunks import CHUNK


def seconds(config: Config, surface: Domain) -> dict[str, float]:
    """One chunk of points under features of a low degree."""
    kind, d = config.kernel.features, surface.dimension
    p = sampling.chunk(surface, 1, sampling.EVALUATE, 0, None).map(lambda rows: rows[:CHUNK])
    there, v = surface.frame(p.z, p.chart), np.ones((CHUNK, d**2))
    if kind == "generic":
        # At the degree of the run: narrow products take longer for each of their operations.
        basis = features(Comm(), surface, min(config.kernel.degree, 6), kind)
        prepared, h = basis.prepare(there), basis.load(np.zeros(len(basis)))
        both = best(lambda: basis.adjoint(prepared, v)) + best(lambda: basis.contract(prepared, h))
        section = best(lambda: basis.prepare(there)) / (CHUNK * len(basis.exponents))
        return {"section": section, "flop": both / (16 * len(basis) * CHUNK * (1 + d))}
    matrix = np.ones((CHUNK, CHUNK))
    found = {"flop": best(lambda: matrix @ matrix) / (2 * CHUNK**3)}
    began = time.perf_counter()
    basis = features(Comm(), surface, min(config.kernel.degree, 16))
    found["choice"] = (time.perf_counter() - began) / len(basis) ** 2
    prepared = basis.prepare(there)
    found["jet"] = best(lambda: basis.prepare(there)) / (CHUNK * len(basis) * comb(d + 2, 2))
    found["hessian"] = best(lambda: basis.adjoint(prepared, v)) / prepared.size
    return found
