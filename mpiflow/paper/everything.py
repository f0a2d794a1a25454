"""All figures one after another, for several seeds; what is there already is not made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mpiflow.comm import Comm
from mpiflow.errors import FlowError
from mpiflow.paper import record, registry


def make(comm: Comm, out: Path, size: str, seeds: int, say: Callable[[str], None], force: bool = False) -> list[str]:
    """Make every figure at a size for seeds 1 ... `seeds` in out/seed-S; returns what failed, one line each; collective.

    A figure that fails is told and left out: the others go on. force: make also what is there. Raises InputError before
    any work where a figure would replace something else.
    """
    failed = []
    figures = [registry.figure(comm, name) for name in registry.titles()]
    there = {
        (seed, each.name): record.there(comm, each, out / f"seed-{seed}", each.points(size), seed, force)
        for seed in range(1, seeds + 1)
        for each in figures
    }
    for seed in range(1, seeds + 1):
        for each in figures:
            if there[seed, each.name]:
                say(f"{each.name}, seed {seed}: is there")
                continue
            say("")
            say(f"{each.name}, seed {seed}: {each.title}")
            try:
                record.made(comm, each, out / f"seed-{seed}", each.points(size), seed, say)
            except FlowError as error:
                failed.append(f"{each.name}, seed {seed}: {error}")
                say(failed[-1])
    return failed
