"""status.json: how a run stands, for batch scripts and people; always whole."""

from __future__ import annotations

import json
import time
from pathlib import Path

from mpiflow.errors import StateError
from mpiflow.files import put, take
from mpiflow.files.disk import DISK, Disk

STATES = ("running", "stopped", "done", "failed")
_NAME = "status.json"
_LIMIT = 1 << 20


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
    put(Path(folder) / _NAME, json.dumps(content, indent=1) + "\n", files)


def read(folder: Path) -> dict | None:
    """How the run in a folder stands, or None without a status of ours."""
    try:
        found = json.loads(take(Path(folder) / _NAME, _LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and _is_ours(found) else None


def _is_ours(found: dict) -> bool:
    """Whether these are the values that `report` writes."""
    code = found.get("exit_code", 0)
    numbers = (found.get("step"), found.get("steps"), 0 if code is None else code)
    return (
        found.get("state") in STATES and isinstance(found.get("message"), str) and all(type(n) is int for n in numbers)
    )
