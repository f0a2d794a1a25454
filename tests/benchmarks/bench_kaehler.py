"""Gauss-Newton on invariant features: gain on fresh points against degree and number of train points.

mpiexec -n 2 python tests/benchmarks/bench_kaehler.py fermat4 12:1000 16:1000 20:10000 24:10000
mpiexec -n 2 python tests/benchmarks/bench_kaehler.py dwork4:0.5 10:4000 12:4000 16:4000
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from newton import solve

from mpiflow import sampling
from mpiflow.comm import Comm, world
from mpiflow.engine.low_rank import LowRank
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.geometry.families.dwork import Dwork
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.geometry.frames import frame
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.methods import potentials
from mpiflow.ranks.chunks import Chunks
from mpiflow.ranks.exchange import Exchange

TEST = 4096


def surface_of(name: str) -> Hypersurface:
    """fermatN, or dworkN:psi, in P^N."""
    family, _, psi = name.partition(":")
    ambient = int(family[-1])
    return (
        Fermat(ambient=ambient).domain()
        if family.startswith("fermat")
        else Dwork(ambient=ambient, psi=float(psi)).domain()
    )


def problem(comm: Comm, surface: Hypersurface, features, total: int, seed: int, stream: int) -> MongeAmpere:
    """The equation on `total` points of all charts."""
    chunks = Chunks(comm, total)
    number, points = sampling.sample(comm, surface, total, seed, stream)
    points = points.map(Exchange(comm, number, chunks.rows))
    return MongeAmpere(LowRank(chunks, features, frame(surface, points.z, points.chart)), points.weight)


def main(name: str, *cases: str) -> None:
    """One line for each degree:points[:seed]."""
    comm, surface = world(), surface_of(name)
    if comm.rank == 0:
        print("| k | features | train points | seed | gain | sigma | max eta-1 | least eigenvalue | train gain | s |")
    for case in cases:
        degree, total, seed = (int(word) for word in (case + ":0").split(":")[:3])
        begin = time.perf_counter()
        features = potentials.features(comm, surface, degree)
        train = problem(comm, surface, features, total, seed, sampling.TRAIN)
        found = solve(train, np.zeros(len(features)))
        seconds = time.perf_counter() - begin
        test = problem(comm, surface, features, TEST, seed, sampling.TEST)
        start, end = test.at(np.zeros(len(features))), test.at(found.coefficients)
        worst = -comm.min(-float(np.abs(end.eta - 1).max(initial=0)))
        fit = train.at(np.zeros(len(features))).sigma / train.at(found.coefficients).sigma
        if comm.rank == 0:
            print(
                f"| {degree} | {len(features)} | {total} | {seed} | {start.sigma / end.sigma:.4g} | {end.sigma:.3g} | "
                f"{worst:.2g} | {end.least:.3g} | {fit:.4g} | {seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
