"""Surfaces and problems that several tests share."""

from __future__ import annotations

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.geometry.families.configuration import Configuration
from mpiflow.geometry.families.dwork import Dwork
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.geometry.families.random import Random
from mpiflow.ranks.chunks import Chunks


def fermat(ambient):
    """The Fermat hypersurface in P^n."""
    return Fermat(ambient=ambient).equation()


def dwork(ambient, psi):
    """One of the Dwork family; psi: complex."""
    return Dwork(ambient=ambient, psi=(complex(psi).real, complex(psi).imag)).equation()


def random(ambient, seed):
    """Without any symmetry."""
    return Random(ambient=ambient, seed=seed).equation()


def configuration(ambient, degrees, kaehler=None, seed=1):
    """A complete intersection without any symmetry, in a product of projective spaces."""
    rows, t = [list(row) for row in degrees], None if kaehler is None else list(kaehler)
    return Configuration(ambient=list(ambient), degrees=rows, seed=seed, kaehler=t).equation()


def random_quartic():
    """A K3 surface without any symmetry."""
    return random(3, 5)


def problem(surface, features, total, stream=sampling.TRAIN):
    """The Monge-Ampere equation on so many points of all charts, on one rank."""
    _, p = sampling.sample(Comm(), surface, total, 0, stream)
    return MongeAmpere(LowRank(Chunks(Comm(), total), features, surface.frame(p.z, p.chart)), p.weight)
