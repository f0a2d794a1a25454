"""One ReLU step on 1 and on 2 ranks: mpiexec -n 2 python tests/benchmarks/bench_ranks.py [-n 20000].

Efficiency in CPU time, so that other work on the machine does not count: that of one rank doing all, alone, over twice
the largest share, what is exchanged included. Float32 tiles, nine columns; the bits must be equal.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from rounds import interleaved, timed

from mpiflow.comm import Comm, world
from mpiflow.coupling import Coupling
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.kernels.relu import ReluNTK
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import TRAIN, sample


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    z, v = (
        sample(Comm(), Fermat(ambient=4).domain(), args.n, 1, TRAIN)[1].z,
        np.random.default_rng(0).normal(size=(args.n, 9)),
    )

    def built(comm, mode):
        layout = Layout(comm, np.zeros(args.n, int), 1, [1.0])
        options = {"mode": mode, "precision": "float32"}
        coupling = Coupling(ReluNTK(1, 1.0, 0.0), layout, z[layout.rows], [np.arange(args.n)], **options)
        return layout.rows, coupling.onto_itself()

    for mode in ("streamed", "symmetric"):
        (rows, shared), (_, alone) = built(world(), mode), built(Comm(), mode)
        compared(mode, shared, alone, v, rows, args.rounds)


def compared(mode: str, shared, alone, v: np.ndarray, rows: np.ndarray, rounds: int) -> None:
    """Time a step that the ranks share and one that each makes alone, compare their bits, and print both."""
    whole = alone.apply(v)
    equal = not world().any(not np.array_equal(shared.apply(v[rows]), whole[rows]))
    contestants = {"shared": timed(lambda: shared.apply(v[rows])), "alone": timed(lambda: alone.apply(v))}
    every = world().allgather(interleaved(contestants, rounds))
    if world().rank == 0:
        one, most = np.median([e["alone"] for e in every]), max(e["shared"] for e in every)
        print(f"{mode}, N = {len(v)}: alone {one:.3f} s, on {world().size} ranks {most:.3f} s each, ", end="")
        print(f"efficiency {one / most / world().size:.2f}, bits {'equal' if equal else 'DIFFER'}")


if __name__ == "__main__":
    main()
