"""mpiflow itself, telling its log every step, and with one planned fault of MPIFLOW_PLANNED_FAULT:

"kill RANK STAGE" and "raise RANK STAGE": that rank is killed or raises in that stage of the run;
"disk OPERATION N ERRNO": the N-th such operation of the writer fails, and all after it;
"allocation RANK N": from the beginning of the work on, the N-th allocation of at least 1 MiB of that rank fails, "allocation
RANK N stays": and all after it (0: none, all ranks count them alone); `allocation.c` must be preloaded.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def plan(fault: list[str]) -> None:
    """Arrange for the planned fault."""
    if fault and fault[0] == "disk":
        _fail_disk(fault[1], int(fault[2]), int(fault[3]))
    elif fault and fault[0] == "allocation":
        _fail_allocation(int(fault[1]), int(fault[2]), "stays" in fault)
    elif fault:
        _fail_stage(fault[0], int(fault[1]), " ".join(fault[2:]))


def _fail_disk(operation: str, n: int, number: int) -> None:
    from mpiflow.files.disk import Disk

    real, calls = getattr(Disk, operation), iter(range(1, 10**9))

    def failing(self, *arguments):
        if next(calls) >= n:
            raise OSError(number, os.strerror(number))
        return real(self, *arguments)

    setattr(Disk, operation, failing)


def _fail_allocation(rank: int, n: int, stays: bool) -> None:
    import ctypes

    from mpiflow.job.job import Job

    real, preloaded = Job.work, ctypes.CDLL(None)

    def failing(self, restart):
        if n and self.comm.rank != rank:
            return real(self, restart)
        preloaded.fault_arm(n, int(stays))
        try:
            return real(self, restart)
        finally:
            print(
                f"allocations of rank {self.comm.rank}: {preloaded.fault_seen()}\n", end="", file=sys.stderr, flush=True
            )
            preloaded.fault_arm(-1, 0)

    Job.work = failing


def _fail_stage(how: str, rank: int, stage: str) -> None:
    from mpiflow.screen import Screen

    real = Screen.stage

    @contextmanager
    def failing(self, name, seconds):
        with real(self, name, seconds):
            if self.rank == rank and name == stage:
                print(f"planned fault: {how} rank {rank} in {stage}", file=sys.stderr, flush=True)
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise RuntimeError(f"planned fault in {stage}")
            yield

    Screen.stage = failing


def main() -> None:
    """What mpiflow.__main__ does, with the plan between the handlers and the work."""
    from mpiflow.job import triggers

    triggers.install()
    from mpiflow.__main__ import main as real
    from mpiflow.screen import screen

    screen.EVERY = 0.0
    plan(os.environ.get("MPIFLOW_PLANNED_FAULT", "").split())
    real()


if __name__ == "__main__":
    main()
