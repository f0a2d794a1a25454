"""Complete intersections: gains on fresh points, volumes at other Kaehler classes, Euler numbers, points a second.

OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py gain jobs/manifolds/*.toml         # one line a job
OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py euler 400000 jobs/manifolds/four-quadrics.toml [key=value ...]
OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py volume 200000
"""

from __future__ import annotations

import sys
import time
from itertools import count

import numpy as np

import mpiflow
from mpiflow import config
from mpiflow.geometry.families.configuration import Configuration
from mpiflow.sampling import EVALUATE, chunk

#: Fresh points, and their seed.
FRESH, SEED = 8000, 7
#: Ambient, degrees, t.
VOLUMES = (
    ([2, 2], [[3, 3]], [1.0, 2.0]),
    ([1, 1, 1, 1], [[2, 2, 2, 2]], [1.0, 2.0, 1.0, 0.5]),
    ([1, 1, 1, 1], [[2, 2, 2, 2]], [1.0, 1.0, 1.0, 3.0]),
    ([5], [[3], [3]], [1.0]),
    ([5], [[2], [4]], [1.0]),
    ([6], [[2], [2], [3]], [1.0]),
    ([7], [[2], [2], [2], [2]], [1.0]),
)


def run(path: str, changes: list[str] | None = None):
    """A job's metric with some keys changed, and the CPU seconds that it took."""
    settings, begin = config.read(path, changes), time.process_time()
    return mpiflow.run(settings), time.process_time() - begin


def gain(paths: list[str]) -> None:
    """One line a job: what it comes to on fresh points."""
    print("| job | functions | points | sigma | gain | least eigenvalue | positive | CPU s |", flush=True)
    for path in paths:
        model, seconds = run(path)
        row = model.evaluate(FRESH, SEED)[1]
        print(
            f"| {model.config.run.name} | {model.attributes['features']} | {model.config.points.train} | {row.sigma:.3g} | "
            f"{row.gain:.2f} | {row.min_eigenvalue:.3g} | {100 * row.positive:.1f} % | {seconds:.0f} |",
            flush=True,
        )


def euler(points: int, path: str, changes: list[str]) -> None:
    """The Euler number of a job's metric with some keys changed, with its standard error by cuts."""
    model, fit = run(path, changes)
    begin = time.process_time()
    found = model.curvature(points, SEED)
    seconds = time.process_time() - begin
    print(
        f"| {model.config.run.name} {' '.join(changes)} | {points} | {found.euler:.1f} +- {found.error:.1f} | "
        f"{fit:.0f} + {seconds:.0f} |",
        flush=True,
    )


def volume(points: int) -> None:
    """The mean of d! det g_t over the density of the points, with its standard error by cuts; points a second."""
    print("| configuration | t | exact | found | points a cut | effective | points a second of CPU |")
    for ambient, degrees, t in VOLUMES:
        surface = Configuration(ambient=ambient, degrees=degrees, kaehler=t, seed=1).equation()
        chunk(surface, 1, EVALUATE, 0, None)
        begin, shares, weights = time.process_time(), [], []
        for number in count():
            p = chunk(surface, 2, EVALUATE, number, None)
            shares.append(p.weight / surface.form(p))
            weights.append(p.weight)
            if sum(map(len, shares)) >= points:
                break
        seconds, weight = time.process_time() - begin, np.concatenate(weights)
        share = np.concatenate(shares).reshape(-1, surface.points_a_cut).mean(1)
        error = surface.volume * share.std(ddof=1) / np.sqrt(len(share))
        effective = weight.sum() ** 2 / (weight**2).sum() / len(weight)
        print(
            f"| {ambient} {degrees} | {t} | {surface.volume:g} | {surface.volume * share.mean():.2f} +- {error:.2f} | "
            f"{surface.points_a_cut} | {effective:.2f} | {len(weight) / seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    {
        "gain": lambda: gain(rest),
        "euler": lambda: euler(int(rest[0]), rest[1], rest[2:]),
        "volume": lambda: volume(int(rest[0])),
    }[what]()
