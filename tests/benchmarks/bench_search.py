"""Nearest sources and cut-off kernels: python tests/benchmarks/bench_search.py [--largest 1e5] [--rounds 3].

One thread. Peers from the project's own dependencies: scipy's cKDTree in the embedding, scikit-learn's brute force
in float32. Trees and cells are built outside the timing of a query; what building costs is told apart.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from bench_kernels import quintic
from rounds import interleaved, timed
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from mpiflow.engine.cells import Cells
from mpiflow.engine.nearest_source import among
from mpiflow.engine.search import ROUNDING, sweep
from mpiflow.geometry.projective import embedding
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.profile import Profile
from mpiflow.modes import choice


def queries(points: np.ndarray, count: int, rounds: int) -> None:
    """Microseconds a query of `count` queries, for each way to find the nearest."""
    x = quintic(count, 0)
    p, q = embedding(points), embedding(x)
    built = {}

    def building(name, make):
        def step():
            built[name] = make()

        return timed(step)()

    cost = {
        "cells": building("cells", lambda: Cells(points)),
        "cKDTree": building("cKDTree", lambda: cKDTree(p)),
        "scikit-learn": building(
            "scikit-learn",
            lambda: NearestNeighbors(n_neighbors=1, algorithm="brute").fit(p.astype(np.float32)),
        ),
    }
    seconds = interleaved(
        {
            "sweep": timed(lambda: among(sweep(Profile("float32", 4), x, points, -1.0, 2 * ROUNDING), x, points)),
            "cells": timed(lambda: among(built["cells"].contenders(x), x, points)),
            "cKDTree": timed(lambda: built["cKDTree"].query(q)),
            "scikit-learn": timed(lambda: built["scikit-learn"].kneighbors(q.astype(np.float32))),
        },
        rounds,
    )
    for name, value in seconds.items():
        print(f"| {name} | {len(points)} | {value / count * 1e6:.1f} | {cost.get(name, 0):.2f} |", flush=True)


def cut_off(count: int, width: float) -> None:
    """A narrow Gaussian by its neighbours, against the streamed step."""
    x, kernel = quintic(count, 0), Gaussian(width)
    v = np.random.default_rng(0).normal(size=(count, 9))
    engines, cost = {}, {}
    for mode in ("streamed", "neighbours"):

        def build(mode=mode):
            engines[mode] = choice.build(kernel, x, x, mode=mode, precision="float32")

        cost[mode] = timed(build)()
    seconds = interleaved({mode: timed(lambda e=e: e.apply(v)) for mode, e in engines.items()}, 3)
    u = {mode: e.apply(v) for mode, e in engines.items()}
    error = np.linalg.norm(u["neighbours"] - u["streamed"]) / np.linalg.norm(u["streamed"])
    kept = engines["neighbours"].kernel.nnz / count**2
    print(f"\nGaussian of width {width}, N = {count}, float32: {kept:.2%} of the pairs kept, error {error:.1e}")
    print(f"streamed step {seconds['streamed']:.2f} s, by neighbours {seconds['neighbours']:.3f} s: ", end="")
    print(f"{seconds['streamed'] / seconds['neighbours']:.0f} times; ", end="")
    print(f"build {cost['neighbours'] / seconds['streamed']:.2f} streamed steps")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--largest", type=float, default=1e5, help="most sources of the nearest-neighbour table")
    options.add_argument("--queries", type=int, default=2000)
    options.add_argument("--cut-off", type=float, default=1e5, help="points of the cut-off kernel")
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    points = quintic(int(args.largest), 1)
    print("| nearest, exact | sources | us a query | build, s |\n| --- | --- | --- | --- |")
    for size in (10**4, 10**5, 10**6):
        if size <= args.largest:
            queries(points[:size], args.queries, args.rounds)
    cut_off(int(args.cut_off), 0.1)


if __name__ == "__main__":
    main()
