"""Surfaces and problems that several tests share."""

from __future__ import annotations

import numpy as np

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.geometry.frames import frame
from mpiflow.geometry.hypersurface import Hypersurface, fermat
from mpiflow.kernels.sections import sections
from mpiflow.ranks.chunks import Chunks


def random_quartic():
    """A K3 surface without any symmetry."""
    exponents = sections(fermat(3), 3).exponents
    exponents = np.unique((exponents[:, None] + np.eye(4, dtype=int)).reshape(-1, 4), axis=0)
    rng = np.random.default_rng(5)
    return Hypersurface(exponents, rng.normal(size=len(exponents)) + 1j * rng.normal(size=len(exponents)))


def problem(surface, features, total, stream=sampling.TRAIN):
    """The Monge-Ampere equation on so many points of all charts, on one rank."""
    _, p = sampling.sample(Comm(), surface, total, 0, stream)
    return MongeAmpere(LowRank(Chunks(Comm(), total), features, frame(surface, p.z, p.chart)), p.weight)
