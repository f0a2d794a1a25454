"""Halos against their targets: python tests/benchmarks/bench_halo.py [halos | halo_flow]; both without a word.

One chart, one thread; times are CPU seconds.
"""

from __future__ import annotations

import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from rounds import clocked

from mpiflow.clustering import halo
from mpiflow.clustering.clusters import cluster
from mpiflow.comm import Comm
from mpiflow.geometry import charts, fubini_study, projective
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import TRAIN, sample

SURFACE = Fermat(ambient=4).domain()


def halos(total: int = 20_000, count: int = 20, tolerance: float = 1e-3) -> None:
    """One update under a Gaussian in one chart: halo and none against all."""
    z, chosen = _one_chart(total)
    label = cluster(Comm(), z, 0, total, count=count, batch=10_000).label
    layout = Layout(Comm(), label, count, [float(size) for size in np.bincount(label)])
    v = _gradient(z, chosen)
    for width in (0.1, 0.2):
        reach = Gaussian(width).reach(tolerance)
        lists, seconds = clocked(lambda reach=reach: halo.with_halo(layout, z[layout.rows], reach))
        error = {"none": np.empty(total), "halo": np.empty(total)}
        size = np.empty(total)
        for c, own in enumerate(layout.members):
            exact = _update(z, own, np.arange(total), v, width)
            size[own] = np.linalg.norm(exact, axis=1)
            for name, sources in (("none", own), ("halo", lists[c])):
                error[name][own] = np.linalg.norm(_update(z, own, sources, v, width) - exact, axis=1)
        moved = sum(len(found) - len(own) for found, own in zip(lists, layout.members, strict=True))
        relative = {name: np.linalg.norm(e) / np.linalg.norm(size) for name, e in error.items()}
        print(
            f"width {width}, tolerance {tolerance:g}, reach {reach:.3f} ({seconds:.1f} s): error of an update "
            f"{relative['halo']:.1e} (none {relative['none']:.1e}), bytes of all {moved / (count - 1) / total:.2f}"
        )


def halo_flow(total: int = 20_000, count: int = 20, tolerance: float = 1e-3, steps: int = 5) -> None:
    """A flow through halos, and one without any coupling, against the exact one: relative difference of the metrics."""
    from mpiflow import config, dataset
    from mpiflow.methods import registry

    # Steps near the largest stable ones: the largest eigenvalue of the kernel grows with its width.
    for width, dt in ((0.1, 10.0), (0.2, 1.0)):
        metric, start = {}, None
        for coupling in ("all", "halo", "none"):
            table = {"dt": dt, "steps": steps, "coupling": coupling, "halo_tolerance": tolerance}
            run = config.check(
                {
                    "points": {"train": total, "test": 1},
                    "clusters": {"count": count},
                    "kernel": {"name": "gaussian", "width": width},
                    "flow": table,
                },
                "benchmark",
            )
            train = dataset.train_points(Comm(), SURFACE, run)[0]
            flow = registry.of(run).flow(run, SURFACE, train, {})
            start = flow.layout.gather(flow.metric)
            records, seconds = clocked(lambda flow=flow: [flow.step() for _ in range(steps)])
            metric[coupling] = flow.layout.gather(flow.metric)
            print(f"width {width}, {coupling}: {seconds:.1f} s, sigma {records[-1].sigma_train:.5f}", flush=True)
        moved = np.linalg.norm(metric["all"] - start)
        error = {name: np.linalg.norm(metric[name] - metric["all"]) / moved for name in ("halo", "none")}
        print(f"width {width}: halo differs by {error['halo']:.1e} of the metric's change, none by {error['none']:.1e}")


def _one_chart(total: int) -> tuple[np.ndarray, np.ndarray]:
    found = sample(Comm(), SURFACE, total, 1, TRAIN, (0, 1))[1]
    return found.z, found.chart


def _gradient(z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """The gradient of (log eta)^2 at g_FS, as reals: what the first step of a flow sums."""
    from mpiflow import hermitian, losses
    from mpiflow.functionals.log import Log

    g = fubini_study.pulled_back(z, charts.jacobian(SURFACE, z, chart))
    eta = losses.eta(g, charts.omega2(SURFACE, z, chart), 1.0)
    eta /= eta.mean()
    return hermitian.to_reals(losses.gradient(g, eta, Log(), False))


def _update(z: np.ndarray, targets: np.ndarray, sources: np.ndarray, v: np.ndarray, width: float) -> np.ndarray:
    kernel = np.exp(-(projective.distances(z[targets], z[sources]) ** 2) / (2 * width**2))
    return kernel @ v[sources]


PARTS = {"halos": halos, "halo_flow": halo_flow}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        print(f"--- {name}", flush=True)
        PARTS[name]()
