"""All figures one after another, for several seeds; what is there already is not made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mpiflow.comm import Comm
from mpiflow.errors import FlowError
from mpiflow.paper import FIGURES, figure, points, record


def make(comm: Comm, out: Path, size: str, seeds: int, say: Callable[[str], None], force: bool = False) -> list[str]:
    """Make every figure at a size for seeds 1 ... `seeds` in out/seed-S; returns what failed, one line each; collective.

    A figure that fails is told and left out: the others go on. force: make also what is there. Raises InputError before
    any work where a figure would replace something else.
    """
    failed = []
    there = {
        (seed, name): record.there(comm, name, out / f"seed-{seed}", points(figure(name), size), seed, force)
        for seed in range(1, seeds + 1)
        for name in FIGURES
    }
    for seed in range(1, seeds + 1):
        for name in FIGURES:
            where, wanted = out / f"seed-{seed}", points(figure(name), size)
            if there[seed, name]:
                say(f"{name}, seed {seed}: is there")
                continue
            say("")
            say(f"{name}, seed {seed}: {FIGURES[name]}")
            try:
                record.made(comm, name, where, wanted, seed, say)
            except FlowError as error:
                failed.append(f"{name}, seed {seed}: {error}")
                say(failed[-1])
    return failed
