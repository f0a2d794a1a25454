"""Time and memory of the streamed ReLU step by size: python tests/benchmarks/bench_size.py [--largest 1e5].

One thread, float32 tiles, nine columns, targets = sources; memory is the peak over what the imports took.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from bench_kernels import quintic
from rounds import interleaved, timed

from mpiflow.kernels.relu import ReluNTK
from mpiflow.modes import choice
from mpiflow.plan import process


def peak() -> float:
    """Peak resident memory of this process, in MB."""
    return process.peak() / 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--largest", type=float, default=1e5)
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    imported = peak()
    print("| N | build, s | step, s | growth | peak memory over imports, MB |\n| --- | --- | --- | --- | --- |")
    before = None
    for size in (8192, 32768, 65536, 100_000):
        if size > args.largest:
            break
        x, v = quintic(size, 0), np.random.default_rng(0).normal(size=(size, 9))
        built = []
        build = timed(
            lambda x=x, built=built: built.append(
                choice.build(ReluNTK(1, 1.0, 0.0), x, x, mode="streamed", precision="float32")
            )
        )()
        step = interleaved({"step": timed(lambda v=v, built=built: built[0].apply(v))}, args.rounds)["step"]
        growth = f"N^{np.log(step / before[1]) / np.log(size / before[0]):.2f}" if before else ""
        print(f"| {size} | {build:.2f} | {step:.3f} | {growth} | {peak() - imported:.0f} |", flush=True)
        before = size, step


if __name__ == "__main__":
    main()
