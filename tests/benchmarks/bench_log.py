"""Potentials inside the logarithm, each case a run file: gain on fresh points, beside that of a sum of the same functions.

python tests/benchmarks/bench_log.py                      # what cases there are
python tests/benchmarks/bench_log.py fermat-12 dwork-0.5
mpiexec -n 2 python tests/benchmarks/bench_log.py random:0-5
python tests/benchmarks/bench_log.py random:0-6-million random:0-8-million     # a GPU, which one rank has for itself
python tests/benchmarks/bench_log.py conifold:1 conifold:2 --set kernel.potential=linear
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from threadpoolctl import threadpool_limits

from mpiflow import dataset, sampling
from mpiflow.comm import Comm, world
from mpiflow.config import check
from mpiflow.job import evaluate
from mpiflow.job.flowing import Flowing

TEST = 10_000
NEWTON = {"dt": 1.0, "search": "gauss-newton"}


def invariants(degree: int, points: int, steps: int = 12, manifold: dict | None = None, **kernel) -> dict:
    """Gauss-Newton by factorisation, all charts."""
    return {
        "manifold": manifold or {"family": "fermat", "ambient": 4},
        "points": {"train": points, "test": TEST, "chart": "all"},
        "kernel": {"name": "kaehler", "degree": degree, "potential": "log"} | kernel,
        "flow": NEWTON | {"steps": steps, "test_every": steps},
    }


def protocol(degree: int, seed: int, **kernel) -> dict:
    """The paper's: 1000 points of one chart, 50 Euler steps, C frozen at g_FS."""
    return {
        "run": {"seed": seed},
        "points": {"train": 1000, "test": TEST},
        "kernel": {"name": "kaehler", "degree": degree, "potential": "log"} | kernel,
        "flow": {"dt": 0.3 if "refreeze" in kernel else 0.35, "steps": 50, "test_every": 50},
    }


def generic(degree: int, points: int, steps: int, inner: int, manifold: dict, **kernel) -> dict:
    """Gauss-Newton by conjugate gradients in single precision, no symmetry used."""
    kernel = {"name": "kaehler", "features": "generic", "potential": "log", "degree": degree, "ridge": 1e-6} | kernel
    return {
        "run": {"inner": "float32"},
        "manifold": manifold,
        "points": {"train": points, "test": TEST, "chart": "all"},
        "kernel": kernel,
        "flow": {"dt": 1.0, "steps": steps, "search": {"name": "gauss-newton", "inner": inner}},
        "engine": {"memory": 4.0},
    }


def on_gpu(table: dict, memory: float) -> dict:
    """In double precision throughout, which a GPU's matrix units multiply as fast, and so much kept a rank, in GiB."""
    return table | {"run": {"inner": "float64", "backend": "gpu"}, "engine": {"memory": memory}}


def dwork(psi: float) -> dict:
    """The table [manifold] of a Dwork quintic."""
    return {"family": "dwork", "ambient": 4, "psi": [psi, 0.0]}


def random(seed: int) -> dict:
    """That of a quintic without symmetry."""
    return {"family": "random", "ambient": 4, "seed": seed}


def ladder(*degrees: int, rung: int = 5) -> dict:
    """The keys of a ladder."""
    return {"ladder": list(degrees), "rung": rung}


CASES = {
    **{f"fermat-{k}": invariants(k, 1000) for k in (4, 6, 8, 10, 12, 14)},
    "fermat-16": invariants(16, 1500, 14),
    "fermat-20": invariants(20, 3000, 12, **ladder(10, 20)),
    "fermat-24": invariants(24, 4500, 14, **ladder(12, 24, rung=6)),
    "fermat-28": invariants(28, 8000, 16, **ladder(14, 28, rung=7)) | {"engine": {"memory": 6.0}},
    "dwork-0.5": invariants(16, 4000, 14, dwork(0.5)),
    "dwork-0.99": invariants(20, 7000, 20, dwork(0.99), **ladder(5, 10, 20)),
    "k3-8": invariants(8, 1500, 12, {"family": "fermat", "ambient": 3}),
    "k3-12": invariants(12, 1500, 12, {"family": "fermat", "ambient": 3}),
    "sextic-8": invariants(8, 4000, 12, {"family": "fermat", "ambient": 5}),
    "sextic-12": invariants(12, 4000, 14, {"family": "fermat", "ambient": 5}),
    "torus-8": invariants(8, 1000, 12, {"family": "fermat", "ambient": 2}),
    **{f"conifold:{seed}": invariants(12, 4000, 16, dwork(0.99)) | {"run": {"seed": seed}} for seed in (1, 2, 3, 4)},
    **{f"protocol-8:{seed}": protocol(8, seed) for seed in range(1, 6)},
    **{f"protocol-12:{seed}": protocol(12, seed) for seed in range(1, 11)},
    **{f"anew-12:{seed}": protocol(12, seed, refreeze=10) for seed in range(1, 6)},
    **{f"random:{seed}-4": generic(4, 30_000, 5, 40, random(seed)) for seed in (0, 1, 2)},
    **{f"random:{seed}-5": generic(5, 100_000, 8, 30, random(seed), **ladder(2, 5, rung=3)) for seed in (0, 1, 2)},
    **{f"random:{seed}-6": generic(6, 160_000, 9, 30, random(seed), **ladder(3, 6, rung=4)) for seed in (0, 1, 2)},
    "random:0-6-million": on_gpu(generic(6, 1_000_000, 9, 30, random(0), **ladder(3, 6, rung=4)), 24.0),
    "random:0-8-million": on_gpu(generic(8, 1_200_000, 9, 40, random(0), **ladder(4, 8, rung=4)), 60.0),
    "few-points": generic(4, 3000, 6, 30, random(0), prior="smooth", ridge=3e-3),
    "few-points-flat": generic(4, 3000, 6, 30, random(0), ridge=0.1),
    "dwork--0.1-4": generic(4, 30_000, 5, 40, dwork(-0.1)),
    "dwork--0.1-invariant": invariants(12, 4000, 12, dwork(-0.1)),
}


HEAD = (
    "| case | k | functions | train points | gain | sigma | max eta-1 | positive | train gain | CPU s, all ranks | s |"
)


def main(names: list[str], overrides: list[str]) -> None:
    """One line for each case."""
    comm = world()
    if comm.rank == 0:
        print(HEAD)
    for name in names:
        table = CASES[name]
        for override in overrides:
            key, _, value = override.partition("=")
            section, _, word = key.partition(".")
            table = table | {section: table.get(section, {}) | {word: type(table[section].get(word, value))(value)}}
        with threadpool_limits(1):
            shown = _row(comm, name, table)
        if comm.rank == 0:
            print(shown, flush=True)


def _row(comm: Comm, name: str, table: dict) -> str:
    """A run, whose steps go to the standard error, and what it is worth on points that it never saw."""
    begun, cpu = time.perf_counter(), time.process_time()
    made = Flowing.begun(comm, check(table, name))
    made.begin()
    while not made.done:
        record = made.advance()
        if comm.rank == 0 and time.perf_counter() - begun > 10:
            told = f"sigma {record.sigma_train:.4g}, {time.perf_counter() - begun:.1f} s"
            print(f"{name}: step {made.step}, {told}", file=sys.stderr, flush=True)
    seconds, cpu = time.perf_counter() - begun, sum(comm.allgather(time.process_time() - cpu))
    chart = made.config.points.chart
    drawn = sampling.sample(comm, made.surface, TEST, 77, sampling.EVALUATE, None if chart == "all" else chart)
    fresh = dataset.placed(comm, made.surface, *drawn, made.train)
    row = evaluate.flowed(made.surface, made.predictor(), "fresh", fresh, made.train, defect=False)
    train, kernel = made.history.arrays()["sigma_train"], table["kernel"]
    return (
        f"| {name} | {kernel['degree']} | {made.flow.attributes()['features']} | {table['points']['train']} | "
        f"{row.gain:.4g} | {row.sigma:.3g} | {row.eta_deviation:.2g} | {100 * row.positive:.4g} % | "
        f"{train[0] / train[-1]:.4g} | {cpu:.1f} | {seconds:.1f} |"
    )


if __name__ == "__main__":
    words = sys.argv[1:]
    cut = words.index("--set") if "--set" in words else len(words)
    main(words[:cut], words[cut + 1 :]) if words else print(*CASES, sep="\n")
