"""The command line: what there is, in the order of `--help`."""

from __future__ import annotations

from typing import Annotated

import typer

from mpiflow.commands import batch, flow, keys, paper, points, tune
from mpiflow.commands.version import version

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Metric flows with neural tangent kernels on Calabi-Yau manifolds, under MPI.\n\n"
    "[bold]mpiexec -n 2 mpiflow run jobs/quickstart.toml[/bold] starts a run; the same line resumes it.\n\n"
    "Exit codes: 0 done, 1 an internal error, 2 bad input, 3 the flow broke down, 4 a state could not be written, "
    "75 stopped in time, nothing lost: run the same line again.",
)


@app.callback()
def top(
    shown: Annotated[
        bool,
        typer.Option("--version", "-V", callback=version, is_eager=True, help="Versions of all that bits depend on."),
    ] = False,
) -> None:
    """Options that come before a command; the help of `app` is theirs."""


for command in (
    flow.run,
    batch.batch,
    batch.submit,
    batch.plan,
    batch.scaling,
    tune.tune,
    flow.evaluate,
    flow.info,
    flow.verify,
    paper.paper,
    points.points,
    keys.keys,
):
    app.command()(command)
