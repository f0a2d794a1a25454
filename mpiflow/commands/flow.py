"""Runs: made, and looked at."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Json, Overrides, Quiet, RunFile, RunFolder, RunPath, path_of


def run(
    config: RunFile,
    output: RunFolder = None,
    overrides: Overrides = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move a run that is in the folder aside and start anew.")
    ] = False,
    max_time: Annotated[
        float | None, typer.Option("--max-time", help="Seconds after which to save, stop and exit with 75.")
    ] = None,
    log_all: Annotated[
        bool, typer.Option("--log-all", help="A log file for every rank, not for rank 0 alone.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Start a run, or resume it: sample, cluster, merge, flow, commit states, evaluate.

    A run stops with a state saved and exit code 75 on SIGTERM, SIGUSR1, a file STOP in its folder, --max-time, or shortly
    before the end of its Slurm job; before its first step a signal ends it at once. Any number of ranks may go on with it,
    and the result is the same bit for bit.
    """
    from mpiflow.comm import world
    from mpiflow.config import read
    from mpiflow.screen import Screen

    comm = world()
    settings = comm.led(read, config, overrides)
    from mpiflow.job.job import run as start

    screen = Screen(comm.rank, quiet, log_all)
    where = output or Path("runs") / settings.run.folder
    raise typer.Exit(start(comm, settings, where, screen, fresh=fresh, max_time=max_time, source=config))


def evaluate(
    path: RunPath,
    points: Annotated[int, typer.Option(help="Fresh points to evaluate on.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the fresh points.")] = 7,
    extrapolate: Annotated[bool, typer.Option(help="Fresh points of all charts, not only of the run's own.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure the metric of a run on its train points and on fresh points of X.

    Reports sigma, the gain over Fubini-Study, positivity and the Kaehler defect, beside the conformal metric that has
    sigma 0 without any training and is not Kaehler. In products of projective spaces it checks the volume in the run's Kaehler
    class by the intersection numbers. A Kaehler run adds its Ricci measure and, as a check, the Euler number.
    """
    from mpiflow.comm import world
    from mpiflow.job.evaluate import plain
    from mpiflow.job.report import curvature_lines, rendered, volume_line
    from mpiflow.predictor import open_run
    from mpiflow.screen import answer, document

    comm = world()
    model = open_run(path, comm)
    rows = model.evaluate(points, seed, extrapolate)
    known = model.everywhere or extrapolate
    bent = model.curvature(points, seed, extrapolate) if model.has_potential and known else None
    size = model.volume(points, seed)
    if as_json and comm.rank == 0:
        found = {"step": model.step, "seed": seed, "evaluation": [plain(row) for row in rows]}
        document(found | {name: asdict(each) for name, each in (("volume", size), ("curvature", bent)) if each})
    elif not as_json and comm.rank == 0 and not quiet:
        answer(rendered(rows, f"{path}: step {model.step}, fresh points of seed {seed}"))
        lines = ([volume_line(size)] if size else []) + (curvature_lines(bent) if bent else [])
        if model.has_potential and not known:
            lines += ["Ricci measure and Euler number take points of all charts, and the run knows one: --extrapolate"]
        for line in lines:
            answer(line)


def info(path: RunPath, as_json: Json = False) -> None:
    """Say what a run folder or a state file is: configuration, step, losses, provenance, and whether it validates."""
    from mpiflow.inspection import described
    from mpiflow.screen import answer, document

    facts, table = described(path)
    document(facts) if as_json else answer(table)


def verify(
    folder: Annotated[Path, typer.Argument(parser=path_of, metavar="FOLDER", help="A run folder.")],
    as_json: Json = False,
) -> None:
    """Check every checksum of every state in a run folder; exit code 2 if one is damaged."""
    from mpiflow.inspection import verdicts
    from mpiflow.screen import answer, document

    found, table = verdicts(folder)
    document(found) if as_json else answer(table)
    raise typer.Exit(0 if all(item["sound"] for item in found) else 2)


COMMANDS = {10: run, 70: evaluate, 80: info, 90: verify}
