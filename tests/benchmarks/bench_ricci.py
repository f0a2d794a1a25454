"""The Ricci flow on a torus: what a step takes on some ranks, and how often F falls with either index.

mpiexec -n 2 python tests/benchmarks/bench_ricci.py step 128   # T^3 with 128 points a side: one step of four velocities
python tests/benchmarks/bench_ricci.py draws 500               # T^2 with 16 points a side: sign of dF/dt over random metrics
"""

from __future__ import annotations

import sys
import time

import numpy as np

from mpiflow.comm import world
from mpiflow.grids import energy, gauges, rk4, symmetric
from mpiflow.grids.torus import FlatTorus
from mpiflow.plan import process
from mpiflow.ranks.slabs import Slabs

WIDTHS = (0.0, 0.3, 0.8, 1.6)


def step(side: int) -> None:
    """CPU seconds of the slowest rank outside the exchange and in it, seconds, and MiB beyond what was loaded."""
    comm, before = world(), process.peak()
    keys = FlatTorus.Keys(dimension=3, points=side, amplitude=0.03)
    space = FlatTorus(keys).placed(Slabs(comm, side, side))
    u = space.start()
    comm.barrier()
    cpu, wall = time.process_time(), time.perf_counter()
    rk4.step(lambda v: space.ricci(v), u, 1e-5)
    took = comm.allgather((time.process_time() - cpu, time.perf_counter() - wall, process.peak() - before))
    if comm.rank == 0:
        cpus, walls, peaks = zip(*took, strict=True)
        print(
            f"| {side}^3 | {comm.size} | {sum(cpus):.1f} | {max(cpus):.1f} | {max(walls):.1f} | {max(peaks) / 2**20:.0f} |"
        )


def draws(count: int) -> None:
    """Of so many random metrics, those whose F falls at a width, with the literal and with lowered indices."""
    fallen = {index: dict.fromkeys(WIDTHS, 0) for index in ("frobenius", "lowered")}
    for seed in range(count):
        space = FlatTorus(FlatTorus.Keys(points=16, modes=2, amplitude=0.08, seed=seed))
        geometry = space.geometry(u := space.start())
        upper = symmetric.raised(geometry.inverse, energy.slope(geometry, gauges.phi_of_measure(geometry)))
        for index, width in ((index, width) for index in fallen for width in WIDTHS):
            moved = space.ricci(u, width, "perelman", index)
            pairing = sum((1 + (i != j)) * moved[c] * upper[c] for c, (i, j) in enumerate(geometry.pairs))
            fallen[index][width] += -np.mean(pairing) < 0
    for index, found in fallen.items():
        print(f"| {index} | " + " | ".join(f"{number} of {count}" for number in found.values()) + " |")


if __name__ == "__main__":
    {"step": step, "draws": draws}[sys.argv[1]](int(sys.argv[2]))
