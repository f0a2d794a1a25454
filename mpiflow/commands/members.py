"""Many small runs at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Overrides, Quiet, RunFile, RunFolder


def members(
    config: RunFile,
    each: Annotated[
        list[str], typer.Option("--each", help="Values of a key: --each kernel.width=0.2,0.3 (repeatable).")
    ],
    output: RunFolder = None,
    overrides: Overrides = None,
    max_time: Annotated[
        float | None, typer.Option("--max-time", help="Seconds after which to save, stop and exit with 75.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Start or resume a run for every combination of some values, each on one rank.

    Where a run is too small for several ranks: widths, seeds. A member is a run like any other, in a folder of its own within
    runs/NAME-members; the same line resumes those that were stopped. One that fails ends no other.
    """
    from mpiflow.comm import world
    from mpiflow.config import read
    from mpiflow.job import members as job

    def chosen() -> dict:
        every = {name: read(config, [*(overrides or ()), *settings]) for name, settings in job.choices(each).items()}
        where = output or Path("runs") / f"{next(iter(every.values())).run.folder}-members"
        where = where.absolute()
        return {where / name: settings for name, settings in every.items()}

    comm = world()
    raise typer.Exit(job.members(comm, comm.led(chosen), quiet, max_time))


COMMANDS = {15: members}
