"""Gauss-Newton by conjugate gradients on generic features: no symmetry used, gain after every outer step.

mpiexec -n 2 python tests/benchmarks/bench_generic.py random:1 4 30000
mpiexec -n 2 python tests/benchmarks/bench_generic.py random:1 6 110000
mpiexec -n 2 python tests/benchmarks/bench_generic.py random:2 6 220000 8   # 8 outer steps at most, not 4
mpiexec -n 2 python tests/benchmarks/bench_generic.py fermat 4 25000
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from bench_kaehler import TEST, problem
from newton import solve

from mpiflow import sampling
from mpiflow.comm import world
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.geometry.families.random import Random
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.kernels.casimir import inverse
from mpiflow.methods import potentials

#: Most iterations of conjugate gradients in one outer step.
INNER = 30


def quintic(name: str) -> Hypersurface:
    """fermat, or random:SEED with complex Gaussian coefficients of all 126 monomials."""
    kind, _, seed = name.partition(":")
    return Fermat(ambient=4).domain() if kind == "fermat" else Random(ambient=4, seed=int(seed)).domain()


def main(name: str, degree: int, total: int, outer: int = 4) -> None:
    """One line for each outer step."""
    comm, surface = world(), quintic(name)
    begin = time.perf_counter()
    features = potentials.features(comm, surface, degree, "generic")
    train = problem(comm, surface, features, total, 0, sampling.TRAIN)
    test = problem(comm, surface, features, TEST, 0, sampling.TEST)
    casimir, found = inverse(surface, features), np.zeros(len(features))
    first = [points.at(found).sigma for points in (train, test)]
    if comm.rank == 0:
        print("| quintic | k | features | train points | step | train gain | gain | max eta-1 | least eigenvalue | s |")
    for step in range(1, outer + 1):
        solution = solve(train, found, 1, ridge=1e-6, inner=INNER, preconditioner=casimir)
        found = solution.coefficients
        fit, end = train.at(found), test.at(found)
        worst = -comm.min(-float(np.abs(end.eta - 1).max(initial=0)))
        if comm.rank == 0:
            print(
                f"| {name} | {degree} | {len(features)} | {total} | {step} | {first[0] / fit.sigma:.4g} | "
                f"{first[1] / end.sigma:.4g} | {worst:.2g} | {end.least:.3g} | {time.perf_counter() - begin:.0f} |",
                flush=True,
            )
        if solution.converged:
            break


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
