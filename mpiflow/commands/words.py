"""Arguments and options that several commands have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mpiflow.errors import InputError


def path_of(text: str) -> Path:
    """A path of the command line. Raises InputError for none at all, which an unset variable of a shell gives."""
    if not text.strip():
        raise InputError(
            f"{text!r}: a path on the command line is empty: is a variable of the shell unset? Name a file or a folder"
        )
    if "\0" in text or len(text) > 4000:
        raise InputError(f"{text[:40]!r}...: no file can have such a name; choose another")
    # As `--output=~/runs/x` has it, which no shell expands.
    return Path(os.path.expanduser(text))


RunFile = Annotated[
    Path, typer.Argument(parser=path_of, metavar="RUN.toml", help="A run file, e.g. jobs/quickstart.toml.")
]
RunPath = Annotated[
    Path,
    typer.Argument(
        parser=path_of, metavar="PATH", help="A run folder (its newest sound state) or one state-*.h5 file."
    ),
]
RunFolder = Annotated[
    Path | None,
    typer.Option("-o", "--output", parser=path_of, metavar="FOLDER", help="Run folder; runs/NAME by default."),
]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Change a key: --set flow.dt=0.01 (repeatable).")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there under the same name.")]
