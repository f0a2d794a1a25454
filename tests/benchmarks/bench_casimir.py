"""Conjugate gradients on generic features at g_FS, without a preconditioner and with Casimir's: residual by iteration.

mpiexec -n 2 python tests/benchmarks/bench_casimir.py random:1 4 30000
mpiexec -n 2 python tests/benchmarks/bench_casimir.py random:2 6 110000
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from bench_kaehler import table

from mpiflow.comm import world
from mpiflow.config import check
from mpiflow.flows.linearised import Linearised, conjugate_gradients
from mpiflow.job.flowing import Flowing

#: Iterations at which the residual is shown.
SHOWN = (1, 4, 8, 12, 16, 20, 30)


class Watched(Linearised):
    """Remembers the length of each residual it is shown."""

    def preconditioned(self, gradient: np.ndarray) -> np.ndarray:
        vars(self).setdefault("lengths", []).append(float(np.linalg.norm(gradient)))
        return super().preconditioned(gradient)


def main(name: str, degree: int, total: int) -> None:
    """One line without, one with."""
    comm = world()
    flow = Flowing.begun(comm, check(table(name, degree, total), "bench_casimir")).flow
    if comm.rank == 0:
        print(f"| preconditioner | residual after {', '.join(map(str, SHOWN))} iterations | s an iteration |")
    for label, preconditioner in (("none", None), ("Casimir", flow.inverse)):
        linear = Watched(flow.problem, flow.state, preconditioner)
        right = linear.adjoint(linear.centred(flow.state.residual))
        begin = time.perf_counter()
        conjugate_gradients(linear, right, 1e-6, SHOWN[-1], accuracy=0.0)
        seconds = (time.perf_counter() - begin) / SHOWN[-1]
        if comm.rank == 0:
            lengths = ", ".join(f"{linear.lengths[count] / linear.lengths[0]:.2g}" for count in SHOWN)
            print(f"| {label} | {lengths} | {seconds:.3g} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
