"""Surfaces and problems that several tests share."""

from __future__ import annotations

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.geometry import hypersurface
from mpiflow.geometry.frames import frame
from mpiflow.ranks.chunks import Chunks


def random_quartic():
    """A K3 surface without any symmetry."""
    return hypersurface.random(3, 5)


def problem(surface, features, total, stream=sampling.TRAIN):
    """The Monge-Ampere equation on so many points of all charts, on one rank."""
    _, p = sampling.sample(Comm(), surface, total, 0, stream)
    return MongeAmpere(LowRank(Chunks(Comm(), total), features, frame(surface, p.z, p.chart)), p.weight)
