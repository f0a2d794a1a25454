"""Who holds the lock of a run folder, and whether that process still runs, as far as can be known from here."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from mpiflow.files import take

LOCK = "run.lock"
_LIMIT = 1 << 16
_RUNNING = {"RUNNING", "COMPLETING", "CONFIGURING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"}


def this_process() -> dict[str, object]:
    """How a lock names this process."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "job": os.environ.get("SLURM_JOB_ID", ""),
        "restart": os.environ.get("SLURM_RESTART_COUNT", "0"),
    }


def holder(folder: Path) -> dict | None:
    """Who holds, or held and did not give back, the lock of a folder: host, pid, job, restart, start."""
    try:
        other = json.loads(take(Path(folder) / LOCK, _LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return other if isinstance(other, dict) and _is_ours(other) else None


def _is_ours(other: dict) -> bool:
    """Whether this is what a lock of ours says: everything is text, and the process a number that one can have."""
    kinds = {name: type(value) for name, value in this_process().items()}
    return all(type(other.get(name)) is kind for name, kind in kinds.items()) and 0 < other["pid"] < 2**31


def mine(folder: Path) -> bool:
    """Whether this process holds the lock of a folder."""
    return this_process().items() <= (holder(folder) or {}).items()


def gone(other: dict | None, flocked: bool | None) -> bool:
    """Whether a holder has ended. flocked: this process got the kernel's lock (None where there is none)."""
    me = this_process()
    if not other or me.items() <= other.items():
        return True
    if other["host"] == me["host"]:
        return bool(flocked) or not _alive(other["pid"])
    if other["job"] and other["job"] == me["job"]:
        # Slurm runs a job once at a time, so this is the requeued one and the other its former self.
        return other["restart"] != me["restart"]
    return bool(other["job"]) and _job_ended(other["job"])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _job_ended(job: str) -> bool:
    """Whether Slurm says that a job no longer runs; False if it cannot be asked."""
    if not shutil.which("squeue"):
        return False
    question = ["squeue", "--noheader", "--jobs", job, "--format", "%T"]
    try:
        answer = subprocess.run(
            question, capture_output=True, encoding="utf-8", errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    if answer.returncode:
        return "Invalid job id" in answer.stderr
    return not _RUNNING & set(answer.stdout.split())
