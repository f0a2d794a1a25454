"""All figures one after another, for several seeds; what is there already is not made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mpiflow.comm import Comm
from mpiflow.errors import FlowError
from mpiflow.paper import FIGURES, figure, points, record


def make(comm: Comm, out: Path, size: str, seeds: int, say: Callable[[str], None]) -> list[str]:
    """Make every figure at a size for seeds 1 ... `seeds` in out/seed-S; returns what failed, one line each; collective.

    A figure that fails is told and left out: the others go on.
    """
    failed = []
    for seed in range(1, seeds + 1):
        for name in FIGURES:
            where, wanted = out / f"seed-{seed}", points(figure(name), size)
            if _is_there(comm, where, name, wanted):
                say(f"{name}, seed {seed}: is there")
                continue
            say(f"\n{name}, seed {seed}: {FIGURES[name]}")
            try:
                record.made(comm, name, where, wanted, seed, say)
            except FlowError as error:
                failed.append(f"{name}, seed {seed}: {error}")
                say(failed[-1])
    return failed


def _is_there(comm: Comm, where: Path, name: str, size: int) -> bool:
    found = record.read(where / f"{name}.json") if comm.rank == 0 else None
    return comm.bcast(found is not None and found.size == size)
