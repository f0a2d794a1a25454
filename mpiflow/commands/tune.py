"""Studies of a run file's keys."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Force, Overrides, Quiet, RunFile, path_of


def tune(
    config: RunFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", parser=path_of, metavar="FOLDER", help="Folder of the study; runs/NAME-tune by default."
        ),
    ] = None,
    overrides: Overrides = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials in all; those of \\[tune] by default.")] = None,
    max_time: Annotated[
        float | None, typer.Option("--max-time", help="Seconds after which to stop and exit with 75.")
    ] = None,
    worker: Annotated[str | None, typer.Option(help="Name of this worker; its host and process by default.")] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Find the best step, width, normalisation and clipping by Bayesian optimisation, with new points in every trial.

    The \\[tune] table of the run file says what is searched; without it the usual keys of the kernel. Any number of workers,
    each this same line, under mpiexec or not, share the study of a folder. The line goes on with a study that was
    stopped, and takes over the trials of workers that died. Signals, --max-time and the end of a Slurm job stop it with
    exit code 75; the present trial is tried again. Writes trials.csv, study.png and best.toml, a run file.
    """
    from mpiflow.comm import world
    from mpiflow.config import read
    from mpiflow.screen import Screen

    comm = world()
    settings = comm.led(read, config, [*(overrides or ()), *([f"tune.trials={trials}"] if trials else ())])
    from mpiflow.tune.study import tune as start

    where = output or Path("runs") / f"{settings.run.folder}-tune"
    name = f"{socket.gethostname()}-{os.getpid()}" if worker is None else worker
    screen = Screen(comm.rank, quiet)
    raise typer.Exit(start(comm, settings, where, screen, max_time=max_time, worker=name, force=force, source=config))


COMMANDS = {60: tune}
