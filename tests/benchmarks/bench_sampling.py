"""Sampling the quintic, against a root finder called line by line: python tests/benchmarks/bench_sampling.py.

One thread, CPU time. Ours is the whole of a point: random numbers, all roots, patch, polishing, chart, weight, |Omega|^2.
The peer is what cymetric's point generator does (it needs TensorFlow, so its method is timed and not itself): the
polynomial of each line and `numpy.roots` of it; no chart and no weight. Weights are compared with |Omega|^2 / det g_FS
through the Jacobian of each point.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from rounds import interleaved, timed

from mpiflow import losses, sampling
from mpiflow.comm import Comm
from mpiflow.geometry import charts, fubini_study
from mpiflow.geometry.families.fermat import Fermat

QUINTIC, LINES = Fermat(ambient=4).domain(), 400
BINOMIAL, POWERS = np.array([1, 5, 10, 10, 5, 1]), np.arange(6)


def line_by_line() -> np.ndarray:
    """Points of LINES lines, patch-scaled; one root-finding call a line."""
    a, b = np.random.default_rng(0).normal(size=(2, LINES, 5, 2)).view(complex)[..., 0]
    found = []
    for p, q in zip(a, b, strict=True):
        polynomial = (BINOMIAL * p[:, None] ** (5 - POWERS) * q[:, None] ** POWERS).sum(0)
        found.append(p + np.roots(polynomial[::-1])[:, None] * q)
    return charts.patch_scaled(np.concatenate(found))


def by_jacobian(points: sampling.Points) -> np.ndarray:
    """Weights from the determinant of the pulled back metric."""
    g = fubini_study.pulled_back(points.z, charts.jacobian(QUINTIC, points.z, points.chart))
    return charts.omega2(QUINTIC, points.z, points.chart) / losses.determinant(g)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--largest", type=float, default=1e6)
    args = options.parse_args()

    def ours(count: int, chart=None):
        return timed(lambda: sampling.sample(Comm(), QUINTIC, count, 1, sampling.TRAIN, chart))

    points = sampling.chunk(QUINTIC, 1, sampling.TRAIN, 0, None)
    slope2 = np.abs(QUINTIC.gradient(points.z)) ** 2
    seconds = interleaved(
        {
            "line by line": timed(line_by_line),
            "all charts": ours(100_000),
            "one chart": ours(5000, (0, 1)),
            "weights by the Jacobian": timed(lambda: by_jacobian(points)),
            "weights, closed form": timed(lambda: sampling._weighted(points.z, points.chart, slope2)),
        },
        args.rounds,
    )
    sizes = {"line by line": 5 * LINES, "all charts": 100_000, "one chart": 5000}
    each = {name: value / sizes.get(name, len(points)) for name, value in seconds.items()}
    print("| sampling | us a point | points/s |\n| --- | --- | --- |")
    for name, value in each.items():
        print(f"| {name} | {value * 1e6:.3f} | {1 / value:.3g} |")
    print(f"\nours over line by line: {each['line by line'] / each['all charts']:.0f} times")
    print(f"weights: {each['weights by the Jacobian'] / each['weights, closed form']:.0f} times")
    worst = max(np.abs(QUINTIC.value(sampling.chunk(QUINTIC, 1, 0, k, None).z)).max() for k in range(100))
    print(f"largest |Q| of 1e6 points: {worst:.1e}")
    small, large = 10**4, int(args.largest)
    growth = interleaved({"small": ours(small), "large": ours(large)}, 3)
    print(f"growth from {small} to {large}: N^{np.log(growth['large'] / growth['small']) / np.log(large / small):.3f}")


if __name__ == "__main__":
    main()
