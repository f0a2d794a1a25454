"""Complete intersections: gains on fresh points, volumes at other Kaehler classes, Euler numbers, points a second.

OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py gain jobs/manifolds/*.toml         # one line a job
OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py euler 400000 jobs/manifolds/four-quadrics.toml [key=value ...]
OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py volume 200000
OMP_NUM_THREADS=1 python tests/benchmarks/bench_intersections.py peer PYTHON 300 [CONFIGURATION ...]    # cymetric's generator
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import numpy as np

import mpiflow
from mpiflow import config
from mpiflow.geometry.families.configuration import Configuration
from mpiflow.sampling import EVALUATE, chunk

#: Fresh points, and their seed.
FRESH, SEED = 8000, 7
WORKER = Path(__file__).parent / "peers" / "cymetric_points.py"
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


def peer(python: str, points: int, numbers: list[str]) -> None:
    """Points a second of CPU of cymetric's generator beside ours, on the same equations; those of its points that are on X."""
    print("| configuration | ours | cymetric | of its points on X | its start, s |")
    for ambient, degrees, t in [VOLUMES[int(number)] for number in numbers] or VOLUMES:
        surface = Configuration(ambient=ambient, degrees=degrees, kaehler=t, seed=1).equation()
        rate = ours(surface, 20_000)
        with tempfile.TemporaryDirectory() as folder:
            file, rows = Path(folder) / "x.npz", {"ambient": np.array(ambient), "kaehler": np.array(t)}
            for j, each in enumerate(surface.equations):
                rows |= {f"monomials_{j}": each.exponents, f"coefficients_{j}": each.coefficients}
            np.savez(file, **rows)
            told = subprocess.run([python, WORKER, file, str(points)], capture_output=True, text=True)
            if told.returncode:
                print(f"| {ambient} {degrees} | {rate:.0f} | {told.stderr.strip().splitlines()[-1]} |", flush=True)
                continue
            once, seconds = map(float, told.stdout.split()[-2:])
            off = surface.off(surface.scaled(np.load(file.with_suffix(".npy"))))
        there = (off < 1e-6).mean()
        print(f"| {ambient} {degrees} | {rate:.0f} | {len(off) / seconds:.0f} | {there:.2f} | {once:.0f} |", flush=True)


def ours(surface, points: int) -> float:
    """Points a second of CPU, with charts, weights and |Omega|^2."""
    chunk(surface, 1, EVALUATE, 0, None)
    begin, made = time.process_time(), 0
    for number in count():
        made += len(chunk(surface, 2, EVALUATE, number, None).z)
        if made >= points:
            return made / (time.process_time() - begin)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    {
        "gain": lambda: gain(rest),
        "euler": lambda: euler(int(rest[0]), rest[1], rest[2:]),
        "volume": lambda: volume(int(rest[0])),
        "peer": lambda: peer(rest[0], int(rest[1]), rest[2:]),
    }[what]()
