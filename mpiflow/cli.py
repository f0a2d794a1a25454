"""The commands. Each imports what it needs when it is called, so that `--help` is quick and needs no MPI."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Metric flows with neural tangent kernels on Calabi-Yau manifolds, under MPI.\n\n"
    "[bold]mpiexec -n 2 mpiflow run jobs/quickstart.toml[/bold] starts a run; the same line resumes it.\n\n"
    "Exit codes: 0 done, 1 an internal error, 2 bad input, 3 the flow broke down, 4 a state could not be written, "
    "75 stopped with a state saved: run the same line again.",
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]
RunPath = Annotated[Path, typer.Argument(help="A run folder (its newest sound state) or one state-*.h5 file.")]


@app.command()
def run(
    config: Annotated[Path, typer.Argument(help="A run file, e.g. jobs/quickstart.toml.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Run folder; runs/NAME by default.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Change a key: --set flow.dt=0.01 (repeatable).")
    ] = None,
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
    before the end of its Slurm job. Any number of ranks may go on with it, and the result is the same bit for bit.
    """
    from mpiflow.comm import world
    from mpiflow.config import read
    from mpiflow.screen import Screen

    comm = world()
    settings = None
    with comm.lead() as mine:
        if mine:
            settings = read(config, overrides)
    settings = comm.bcast(settings)
    from mpiflow.run import run as start

    screen = Screen(comm.rank, quiet, log_all)
    code = start(comm, settings, output or Path("runs") / settings.run.folder, screen, fresh=fresh, max_time=max_time)
    raise typer.Exit(code)


@app.command()
def batch(
    config: Annotated[Path, typer.Argument(help="A run file.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Run folder; runs/NAME by default.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Change a key (repeatable).")] = None,
    log_all: Annotated[bool, typer.Option("--log-all", help="A log file for every rank.")] = False,
) -> None:
    """Inside a batch job: start the ranks of a run, and requeue the job when they stop with a state saved.

    slurm/flow.sbatch calls it. MPIFLOW_LAUNCHER is what starts the ranks (mpiexec by default). In a job array, {task} in
    -o and --set stands for the number of the task. A job that comes no further in three restarts is given up.
    """
    from mpiflow.batch import supervise

    raise typer.Exit(supervise.batch(supervise.Order(config, output, tuple(overrides or ()), log_all)))


@app.command()
def submit(
    config: Annotated[Path, typer.Argument(help="A run file.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Run folder; runs/NAME by default.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Change a key (repeatable).")] = None,
    executor: Annotated[
        str, typer.Option(help="slurm, local (a process of its own) or debug (this process).")
    ] = "slurm",
    nodes: Annotated[int, typer.Option(min=1, help="Nodes (slurm).")] = 1,
    tasks: Annotated[int, typer.Option("--tasks-per-node", min=1, help="Ranks on each node.")] = 1,
    gpus: Annotated[int, typer.Option("--gpus-per-node", min=0, help="GPUs on each node (slurm).")] = 0,
    minutes: Annotated[int, typer.Option("--time", min=1, help="Minutes of one job; the run is requeued after.")] = 60,
    partition: Annotated[str | None, typer.Option(help="Slurm's partition.")] = None,
    account: Annotated[str | None, typer.Option(help="Slurm's account.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the job until it is over.")] = False,
) -> None:
    """Submit a run through submitit; it is requeued by itself until it is done.

    Prints the job and where its logs are. With --watch, ends with the exit code of the run.
    """
    from mpiflow.batch import submit as room
    from mpiflow.batch.supervise import Order

    order = Order(config, output, tuple(overrides or ())).resolved()
    wanted = room.Resources(executor, nodes, tasks, gpus, minutes, partition, account)
    (job,) = room.submit([order], wanted)
    typer.echo(
        f"job      {job.job_id}\nlog      {job.paths.stdout}\nerrors   {job.paths.stderr}\nrun      {order.output}"
    )
    if executor == "debug":
        job.result()
    if watch:
        raise typer.Exit(room.watch([job], [order.output], typer.echo))


@app.command()
def plan(
    config: Annotated[Path, typer.Argument(help="A run file.")],
    ranks: Annotated[int, typer.Option(min=1, help="Ranks in all.")] = 1,
    ranks_per_node: Annotated[int | None, typer.Option(min=1, help="Ranks that share a node; all by default.")] = None,
    memory: Annotated[float | None, typer.Option(help="GiB of a node; those of this machine by default.")] = None,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs in all.")] = 0,
    gpu_memory: Annotated[float, typer.Option(help="GiB of a GPU.")] = 80.0,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Change a key (repeatable).")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure this machine first (ten seconds).")] = False,
    as_json: Json = False,
) -> None:
    """Say what a run needs, before it waits in a queue: bytes, seconds, states, and a line to submit it.

    Refuses what cannot fit, with the reason and the nearest setting that fits. Memory is right within 10 %; times are
    those of the machine that --calibrate last measured, on an idle machine within about 30 %.
    """
    from mpiflow.config import read
    from mpiflow.plan import fit, machine, report
    from mpiflow.screen import Screen

    settings = read(config, overrides)
    limits = fit.Limits(memory or fit.machine_memory(), ranks_per_node or ranks, gpus, gpu_memory)
    measured = machine.calibrate(settings) if calibrate else machine.load(settings)
    found = report.facts(settings, config, ranks, limits, measured)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        Screen().show(report.rendered(found))


@app.command()
def scaling(
    config: Annotated[str, typer.Argument(help="A run file; or the word report, before run folders or studies.")],
    folders: Annotated[list[Path] | None, typer.Argument(help="What `report` reads.")] = None,
    ranks: Annotated[str, typer.Option(help="Numbers of ranks, e.g. 1,2,4.")] = "1,2",
    mode: Annotated[str, typer.Option(help="strong: the same run; weak: as much work on each rank.")] = "strong",
    repeats: Annotated[int, typer.Option(min=1, help="Runs on each number of ranks.")] = 5,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder; runs/scaling-MODE by default.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Change a key (repeatable).")] = None,
    only: Annotated[int | None, typer.Option(help="One point alone, for a job array; then no report.")] = None,
) -> None:
    """Measure how a run scales over ranks: table, picture, CSV, Extra-P text and one HDF5 of all measurements.

    Runs that are there already are not repeated. Points with more ranks than cores are shown and enter no efficiency.
    `mpiflow scaling report DIR...` reads any set of run folders.
    """
    from mpiflow.batch.supervise import Order
    from mpiflow.errors import InputError
    from mpiflow.scaling import report, runs
    from mpiflow.screen import Screen

    if config == "report":
        where = output or (folders or [Path("runs")])[0]
    else:
        numbers = sorted({int(word) for word in ranks.split(",") if word.strip().isdigit() and int(word)})
        if len(numbers) != len(ranks.split(",")):
            raise InputError(f"--ranks {ranks}: whole numbers above 0, each once, e.g. 1,2,4")
        where = output or Path("runs") / f"scaling-{mode}"
        runs.measure(Order(Path(config), where, tuple(overrides or ())), mode, numbers, repeats, typer.echo, only)
    if only is None:
        tables, files = report.report(folders or [where], where)
        Screen().show(tables)
        typer.echo("\n".join(map(str, files)))


@app.command()
def evaluate(
    path: RunPath,
    points: Annotated[int, typer.Option(min=1, help="Fresh points to evaluate on.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the fresh points.")] = 7,
    extrapolate: Annotated[bool, typer.Option(help="Fresh points of all charts, not only of the run's own.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure the metric of a run on its train points and on fresh points of X.

    Reports sigma, the gain over Fubini-Study, positivity and the Kaehler defect, beside the conformal metric that has
    sigma 0 without any training and is not Kaehler. A Kaehler run adds its Ricci measure and, as a check, the Euler number.
    """
    from mpiflow.comm import world
    from mpiflow.evaluate import plain
    from mpiflow.predictor import open_run
    from mpiflow.report import curvature_lines, rendered
    from mpiflow.screen import Screen

    comm = world()
    model = open_run(path, comm)
    rows = model.evaluate(points, seed, extrapolate)
    bent = model.curvature(points, seed) if model.has_potential else None
    if as_json and comm.rank == 0:
        found = {"step": model.step, "seed": seed, "evaluation": [plain(row) for row in rows]}
        typer.echo(json.dumps(found | ({"curvature": asdict(bent)} if bent else {})))
    elif not as_json:
        screen = Screen(comm.rank, quiet)
        screen.show(rendered(rows, f"{path}: step {model.step}, fresh points of seed {seed}"))
        for line in curvature_lines(bent) if bent else ():
            screen.say(line)


@app.command()
def info(path: RunPath, as_json: Json = False) -> None:
    """Say what a run folder or a state file is: configuration, step, losses, provenance, and whether it validates."""
    from mpiflow.inspection import described
    from mpiflow.screen import Screen

    facts, table = described(path)
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        Screen().show(table)


@app.command()
def verify(folder: Annotated[Path, typer.Argument(help="A run folder.")], as_json: Json = False) -> None:
    """Check every checksum of every state in a run folder; exit code 2 if one is damaged."""
    from mpiflow.inspection import verdicts
    from mpiflow.screen import Screen

    found, table = verdicts(folder)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        Screen().show(table)
    raise typer.Exit(0 if all(item["sound"] for item in found) else 2)


@app.command()
def paper(
    name: Annotated[str, typer.Argument(help="The figure: see the list above.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the pictures.")] = Path("runs/paper"),
    size: Annotated[str, typer.Option(help="laptop, node or cluster, or a number of points.")] = "laptop",
    quiet: Quiet = False,
) -> None:
    """Measure one figure or table of the paper: draws its picture and prints its numbers beside the paper's.

    clustering, clustering-error, distance, delta, kernels-revisited.
    """
    from mpiflow.comm import world
    from mpiflow.paper import figure, points
    from mpiflow.screen import Screen

    comm = world()
    chosen = figure(name)
    chosen.run(comm, output, points(chosen, size), Screen(comm.rank, quiet).say)
