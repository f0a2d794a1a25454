"""Euler number and Ricci measure of the solved metric of a Fermat hypersurface.

python tests/benchmarks/bench_curvature.py AMBIENT DEGREE POINTS
"""

from __future__ import annotations

import sys
import time

import numpy as np
from bench_kaehler import table

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.geometry import curvature
from mpiflow.job.flowing import Flowing


def main(ambient: int, degree: int, count: int) -> None:
    """One line: the sums go over chunks of lines, each of which holds all the points of its lines."""
    begin = time.perf_counter()
    made = Flowing.begun(Comm(), check(table(f"fermat{ambient}", degree, 4000), "bench_curvature")).finish()
    surface, predictor = made.surface, made.predictor()
    density, r, eta, weight = [], [], [], []
    per = surface.cuts * surface.degree
    for number in range(-(-count // per)):
        p = sampling.chunk(surface, 0, sampling.TEST, number, None).map(lambda rows: rows[: count - len(density) * per])
        g, riemann = predictor.curvature(p.z, p.chart)
        density.append(curvature.euler_density(g, riemann))
        r.append(curvature.scalar(g, riemann))
        ratio = np.linalg.det(g).real / p.weight
        eta.append(ratio / ((p.weight * ratio).sum() / p.weight.sum()))
        weight.append(p.weight)
    density, r, eta, weight = map(np.concatenate, (density, r, eta, weight))
    number, error = curvature.euler_number(density, surface.degree, surface.dimension, surface.degree)
    measure = curvature.ricci_measure(r, eta, weight, surface.degree, surface.dimension)
    sigma = (weight * np.abs(eta - 1)).sum() / weight.sum()
    print(
        f"| P^{ambient} | {degree} | {len(density)} | {number:.3f} +- {error:.3f} | {measure:.4g} | {sigma:.3g} | "
        f"{time.perf_counter() - begin:.0f} |"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
