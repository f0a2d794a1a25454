"""Runs under a batch system: planned, submitted, supervised, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Force, Json, Overrides, RunFile, RunFolder, path_of


def batch(
    config: RunFile,
    output: RunFolder = None,
    overrides: Overrides = None,
    log_all: Annotated[bool, typer.Option("--log-all", help="A log file for every rank.")] = False,
    tune: Annotated[
        bool, typer.Option("--tune", help="Be a worker of a study (mpiflow tune), named after the job.")
    ] = False,
) -> None:
    """Inside a batch job: start the ranks of a run, and requeue the job when they stop with a state saved.

    slurm/flow.sbatch and slurm/tune.sbatch call it. MPIFLOW_LAUNCHER is what starts the ranks (mpiexec by default). In a
    job array, {task} in -o and --set stands for the number of the task. A job that comes no further
    in three restarts is given up.
    """
    from mpiflow.batch import order as orders
    from mpiflow.batch import scheduler, supervise

    order = orders.Order(config, output, tuple(overrides or ()), log_all)
    raise typer.Exit(supervise.batch(orders.worker(order, scheduler.job() or "batch") if tune else order))


def submit(
    config: RunFile,
    output: RunFolder = None,
    overrides: Overrides = None,
    executor: Annotated[
        str, typer.Option(help="slurm, local (a process of its own) or debug (this process).")
    ] = "slurm",
    nodes: Annotated[int, typer.Option(min=1, help="Nodes (slurm).")] = 1,
    tasks: Annotated[int, typer.Option("--tasks-per-node", min=1, help="Ranks on each node.")] = 1,
    gpus: Annotated[int, typer.Option("--gpus-per-node", min=0, help="GPUs on each node (slurm).")] = 0,
    minutes: Annotated[int, typer.Option("--time", min=1, help="Minutes of one job; the run is requeued after.")] = 60,
    partition: Annotated[str | None, typer.Option(help="Slurm's partition.")] = None,
    account: Annotated[str | None, typer.Option(help="Slurm's account.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the jobs until they are over.")] = False,
    tune: Annotated[
        int, typer.Option("--tune", min=0, help="So many workers of a study (mpiflow tune), not a run.")
    ] = 0,
    scaling: Annotated[
        str | None,
        typer.Option("--scaling", help="A scaling study (mpiflow scaling) on these numbers of ranks: 1,2,4."),
    ] = None,
    mode: Annotated[str, typer.Option(help="strong or weak (--scaling).")] = "strong",
    repeats: Annotated[int, typer.Option(min=1, help="Runs on each number of ranks (--scaling).")] = 5,
) -> None:
    """Submit a run, a study or a scaling study through submitit; each job is requeued by itself until it is done.

    Prints the jobs and where their logs are. With --watch, ends with the exit code of the first job that failed.
    """
    from mpiflow.batch import order as orders
    from mpiflow.batch import submit as room
    from mpiflow.errors import InputError
    from mpiflow.screen import Screen

    say = Screen().say

    order = orders.Order(config, output, tuple(overrides or ()))
    if tune and scaling:
        raise InputError("--tune, --scaling: a job is a worker of one study; leave one of them out")
    if tune:
        every = [orders.worker(order, f"worker-{number}") for number in range(tune)]
    else:
        every = orders.points(order, scaling, mode, repeats) if scaling else [order]
    every = [one.resolved() for one in every]
    wanted = room.Resources(executor, nodes, tasks, gpus, minutes, partition, account)
    jobs = room.submit(every, wanted)
    for job, one in zip(jobs, every, strict=True):
        say(f"job      {job.job_id}", f"log      {job.paths.stdout}", f"errors   {job.paths.stderr}")
        say(f"{one.command:8} {one.output}")
    if executor == "debug":
        for job in jobs:
            job.result()
    if watch:
        raise typer.Exit(room.watch(jobs, [one.folder for one in every], say))


def plan(
    config: RunFile,
    ranks: Annotated[int, typer.Option(help="Ranks in all.")] = 1,
    ranks_per_node: Annotated[int | None, typer.Option(help="Ranks that share a node; all by default.")] = None,
    memory: Annotated[float | None, typer.Option(help="GiB of a node; those of this machine by default.")] = None,
    gpus: Annotated[int, typer.Option(help="GPUs in all.")] = 0,
    gpu_memory: Annotated[float, typer.Option(help="GiB of a GPU.")] = 80.0,
    overrides: Overrides = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure this machine first (ten seconds).")] = False,
    as_json: Json = False,
) -> None:
    """Say what a run needs, before it waits in a queue: bytes, seconds, states, and a line to submit it.

    Refuses what cannot fit, with the reason and the nearest setting that fits. Memory is right within 10 %; times are
    those of the machine that --calibrate last measured, on an idle machine within about 30 %.
    """
    from mpiflow.config import read
    from mpiflow.plan import fit, machine, report
    from mpiflow.screen import answer, document

    settings = read(config, overrides)
    here = fit.machine_memory() if memory is None else memory
    limits = fit.Limits(here, max(ranks, 1) if ranks_per_node is None else ranks_per_node, gpus, gpu_memory)
    measured = machine.calibrate(settings) if calibrate else machine.load(settings)
    found = report.facts(settings, config, ranks, limits, measured, overrides or ())
    if as_json:
        document(found)
    else:
        answer(report.rendered(found))
        answer(f"submit: {found['sbatch']}")


def scaling(
    config: Annotated[str, typer.Argument(help="A run file; or the word report, before run folders or studies.")],
    folders: Annotated[
        list[Path] | None, typer.Argument(parser=path_of, metavar="FOLDER...", help="What `report` reads.")
    ] = None,
    ranks: Annotated[str, typer.Option(help="Numbers of ranks, e.g. 1,2,4.")] = "1,2",
    mode: Annotated[str, typer.Option(help="strong: the same run; weak: as much work on each rank.")] = "strong",
    repeats: Annotated[int, typer.Option(min=1, help="Runs on each number of ranks.")] = 5,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", parser=path_of, metavar="FOLDER", help="Folder; runs/scaling-MODE by default."),
    ] = None,
    overrides: Overrides = None,
    force: Force = False,
    only: Annotated[int | None, typer.Option(help="One point alone, for a job array; then no report.")] = None,
) -> None:
    """Measure how a run scales over ranks: table, picture, CSV, Extra-P text and one HDF5 of all measurements.

    Runs that are there already are not repeated. Points with more ranks than cores are shown and enter no efficiency.
    `mpiflow scaling report DIR...` reads any set of run folders.
    """
    from mpiflow.batch import order as orders
    from mpiflow.errors import InputError
    from mpiflow.scaling import report, runs
    from mpiflow.screen import Screen

    screen = Screen()
    if config == "report":
        if not folders:
            raise InputError(
                "scaling report: which runs? Name run folders or studies; the report goes into the first, or to -o"
            )
        where = output or folders[0]
        report.claim(where, force)
    else:
        numbers = orders.numbers(ranks)
        where = output or Path("runs") / f"scaling-{mode}"
        report.claim(where, force)
        desk = Path() if only is None else orders.point_folder(only)
        order = orders.Order(path_of(config), where, tuple(overrides or ()), desk=desk)
        runs.measure(order, mode, numbers, repeats, screen.say, only)
    if only is None:
        tables, files = report.report(folders or [where], where)
        screen.show(tables)
        screen.say(*files)


COMMANDS = {20: batch, 30: submit, 40: plan, 50: scaling}
