"""A component step outside its kernel at 1e5 points, this tree against another: python tests/benchmarks/bench_step.py OTHER.

Both in one run, round about, a process each: the kernel's sum is replaced by a fixed one. CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

HERE = Path(__file__).resolve().parents[2]


def worker(count: int, steps: int) -> float:
    """CPU seconds of a step of the tree that is imported."""
    from mpiflow.comm import Comm
    from mpiflow.config import check
    from mpiflow.job.flowing import Flowing

    table = {
        "points": {"train": count, "test": 100},
        "kernel": {"name": "relu", "depth": 1, "b_std": 0.0},
        "engine": {"mode": "streamed"},
        "flow": {"dt": 0.3, "steps": steps + 1},
    }
    made = Flowing.begun(Comm(), check(table, "bench"))
    fixed = np.random.default_rng(0).normal(size=(count, 9)) * 1e-3
    made.flow.sum.apply = lambda v: fixed
    made.begin()
    made.advance()
    began = time.process_time()
    for _ in range(steps):
        made.advance()
    return (time.process_time() - began) / steps


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("other", type=Path, help="another checkout, e.g. of the commit before")
    options.add_argument("-n", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.worker:
        return print(worker(args.n, 5))
    found = {args.other: [], HERE: []}
    for _ in range(args.rounds):
        for tree, seconds in found.items():
            command = [sys.executable, __file__, str(args.other), "--worker", "-n", str(args.n)]
            done = subprocess.run(
                command, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True
            )
            seconds.append(float(done.stdout))
    other, here = (float(np.median(seconds)) for seconds in found.values())
    print(
        f"CPU s a step outside the kernel, N = {args.n:,}: other {other:.3f}, here {here:.3f}, ratio {other / here:.1f}"
    )


if __name__ == "__main__":
    main()
