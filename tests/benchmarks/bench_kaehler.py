"""Gauss-Newton on sums of functions, each case a run file: gain on unseen points against degree and number of train points.

mpiexec -n 2 python tests/benchmarks/bench_kaehler.py fermat4 12:1000 16:1000 20:10000 24:10000     # invariants
mpiexec -n 2 python tests/benchmarks/bench_kaehler.py dwork4:0.5 10:4000 12:4000 16:4000:1          # of seed 1
mpiexec -n 2 python tests/benchmarks/bench_kaehler.py random:1 4:30000 6:110000                     # no symmetry used
mpiexec -n 2 python tests/benchmarks/bench_kaehler.py generic:fermat4 4:25000:0:5                   # five steps
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import mpiflow
from mpiflow.comm import world

TEST = 4096
#: Steps: of the factorised normal matrix; of conjugate gradients, of at most INNER iterations.
DIRECT, ITERATED, INNER = 8, 4, 30


def manifold(name: str) -> dict:
    """The table of fermatN or dworkN:psi, in P^N, or of random:SEED, a quintic."""
    family, _, number = name.partition(":")
    if family == "random":
        return {"family": "random", "ambient": 4, "seed": int(number)}
    more = {"psi": float(number)} if number else {}
    return {"family": family[:-1], "ambient": int(family[-1])} | more


def table(name: str, degree: int, total: int, seed: int = 0, steps: int = 0) -> dict:
    """The run file of a case."""
    iterated, name = name.startswith(("random", "generic:")), name.removeprefix("generic:")
    search = {"name": "gauss-newton"} | ({"inner": INNER} if iterated else {})
    return {
        "run": {"seed": seed},
        "manifold": manifold(name),
        "points": {"train": total, "test": TEST, "chart": "all"},
        "kernel": {"name": "kaehler", "degree": degree} | ({"features": "generic", "ridge": 1e-6} if iterated else {}),
        "flow": {"dt": 1.0, "steps": steps or (ITERATED if iterated else DIRECT), "search": search},
    }


def main(name: str, *cases: str) -> None:
    """One line for each degree:points[:seed[:steps]]."""
    comm = world()
    if comm.rank == 0:
        print(
            "| case | k | features | train points | seed | steps: gain | sigma | max eta-1 | positive | train gain | s |"
        )
    for case in cases:
        settings = table(name, *map(int, case.split(":")))
        begun = time.perf_counter()
        model = mpiflow.run(settings, comm=comm)
        seconds, row = time.perf_counter() - begun, model.table()[1]
        seen, unseen = (model.history[f"history/sigma_{which}"] for which in ("train", "test"))
        if comm.rank == 0:
            print(
                f"| {name} | {settings['kernel']['degree']} | {model.attributes['features']} | "
                f"{settings['points']['train']} | {settings['run']['seed']} | "
                f"{', '.join(f'{gain:.4g}' for gain in unseen[0] / unseen[1:])} | {row.sigma:.3g} | "
                f"{row.eta_deviation:.2g} | {100 * row.positive:.4g} % | {seen[0] / seen[-1]:.4g} | {seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
