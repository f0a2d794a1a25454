"""The command line: what there is, in the order of `--help`."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Annotated

import typer

from mpiflow import commands
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


_FILES = [name for folder in commands.__path__ for name in os.listdir(folder) if re.fullmatch(r"[a-z]\w*\.py", name)]
_MODULES = [import_module(f"{commands.__name__}.{name[:-3]}") for name in sorted(_FILES)]
_PLACED = [placed for module in _MODULES for placed in getattr(module, "COMMANDS", {}).items()]
for _, command in sorted(_PLACED, key=lambda placed: placed[0]):
    app.command()(command)
