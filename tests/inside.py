"""The mpiflow command in this process, which takes milliseconds where a process of its own takes a second."""

from __future__ import annotations

import io
import os
import shlex
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest import mock


class Done(NamedTuple):
    """How a command ended: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def mpiflow(line: str | list[str], folder: Path, env: dict[str, str] | None = None) -> Done:
    """Run `mpiflow LINE` in a folder. What it would leave in this process, signal handlers and streams, is left out."""
    from mpiflow import __main__
    from mpiflow.files import claims
    from mpiflow.job import triggers
    from mpiflow.screen import streams

    words = shlex.split(line) if isinstance(line, str) else line
    out, err = io.StringIO(), io.StringIO()
    fresh = [mock.patch.multiple(stream, lost="", number=0) for stream in (streams.OUT, streams.ERR)]
    with (
        mock.patch.object(sys, "argv", ["mpiflow", *words]),
        mock.patch.object(triggers, "install"),
        mock.patch.object(streams, "install"),
        mock.patch.object(claims, "_STARTED", folder.resolve()),
        mock.patch.dict(os.environ, env or {}),
        fresh[0],
        fresh[1],
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            __main__.main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code or 0
    return Done(code, out.getvalue(), err.getvalue())


def refused(done, *words):
    """One line, exit code 2, these facts in it."""
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Abort(")]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], f"{word}: {lines[0]}"
