"""Each pair of points computed once against the general step: python tests/benchmarks/bench_symmetric.py [-n 16384].

Targets are the sources, nine columns, one thread, the Fermat quintic. Errors are those of the first 64 rows over the
largest entry.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from bench_kernels import quintic
from rounds import interleaved, timed

from mpiflow.comm import Comm
from mpiflow.coupling import Coupling
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK
from mpiflow.ranks.shards import Layout

KERNELS = (ReluNTK(1, 1.0, 0.0), ReluNTK(2, 1.4142135623730951, 0.1), Gaussian(0.3), Gaussian(0.5))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=16384)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    z, v = quintic(args.n, 0), np.random.default_rng(0).normal(size=(args.n, 9))
    print("| kernel | precision | general / symmetric, ns an entry | ratio | error |\n| --- | --- | --- | --- | --- |")
    for kernel in KERNELS:
        reference = kernel.tile(z[:64], z) @ v
        for precision in ("float32", "float64"):
            layout = Layout(Comm(), np.zeros(args.n, int), 1, [1.0])
            sums = {
                mode: Coupling(kernel, layout, z, [np.arange(args.n)], mode=mode, precision=precision).onto_itself()
                for mode in ("streamed", "symmetric")
            }
            steps = {mode: timed(lambda s=kernel_sum: s.apply(v)) for mode, kernel_sum in sums.items()}
            seconds = interleaved(steps, args.rounds)
            general, once = (1e9 * seconds[mode] / args.n**2 for mode in ("streamed", "symmetric"))
            error = np.abs(sums["symmetric"].apply(v)[:64] - reference).max() / np.abs(reference).max()
            label = " ".join(str(x) for x in (kernel.name, getattr(kernel, "width", getattr(kernel, "depth", ""))))
            print(f"| {label} | {precision} | {general:.2f} / {once:.2f} | {general / once:.2f} | {error:.1e} |")


if __name__ == "__main__":
    main()
