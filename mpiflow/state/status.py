"""status.json: how a run stands, for batch scripts and people; always whole."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from mpiflow.errors import StateError, WriteError
from mpiflow.state import naming
from mpiflow.state.files import DISK, Disk

STATES = ("running", "stopped", "done", "failed")
_NAME = "status.json"


def report(
    folder: Path,
    state: str,
    step: int,
    steps: int,
    exit_code: int | None = None,
    message: str = "",
    files: Disk = DISK,
) -> None:
    """Write how the run stands: state of STATES, step of steps, exit code (None while it runs) and why.

    Raises StateError for another state, WriteError if the file cannot be written (the old one stays).
    """
    if state not in STATES:
        raise StateError(f"status {state!r}: it must be one of {', '.join(STATES)}")
    content = {"state": state, "step": step, "steps": steps, "exit_code": exit_code, "message": message}
    content["time"] = time.strftime("%Y-%m-%d %H:%M:%S %z")
    path = Path(folder) / _NAME
    temp = naming.temporary(path)
    try:
        _write(temp, json.dumps(content, indent=1) + "\n", files)
        files.replace(temp, path)
    except OSError as error:
        with suppress(OSError):
            files.remove(temp)
        raise WriteError(
            f"{path} was not written: {error.strerror}; check the space and the permissions there"
        ) from error


def _write(temp: Path, text: str, files: Disk) -> None:
    descriptor = files.create(temp)
    try:
        files.write(descriptor, memoryview(text.encode()))
        files.sync(descriptor)
    finally:
        files.close(descriptor)


def read(folder: Path) -> dict | None:
    """How the run in a folder stands, or None without a status."""
    try:
        return json.loads((Path(folder) / _NAME).read_text())
    except (OSError, ValueError):
        return None
