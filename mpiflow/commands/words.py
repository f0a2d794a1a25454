"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RunFile = Annotated[Path, typer.Argument(help="A run file, e.g. jobs/quickstart.toml.")]
RunPath = Annotated[Path, typer.Argument(help="A run folder (its newest sound state) or one state-*.h5 file.")]
RunFolder = Annotated[Path | None, typer.Option("-o", "--output", help="Run folder; runs/NAME by default.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Change a key: --set flow.dt=0.01 (repeatable).")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]
