"""What a job asks of Slurm about itself; without Slurm every answer is "nothing"."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from datetime import datetime

from mpiflow.errors import FlowError


def job() -> str:
    """The id of the job, or of the task of a job array, that this process runs in; "" outside of Slurm."""
    # The last task of an array shares its SLURM_JOB_ID with the array: to requeue that would requeue all tasks.
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")


def restarts() -> int:
    """How often this job was requeued before."""
    count = os.environ.get("SLURM_RESTART_COUNT", "0")
    return int(count) if count.isdecimal() else 0


def facts(number: str = "") -> dict[str, str]:
    """Slurm's fields of a job (this one) by name, e.g. JobState and EndTime; {} where it cannot be asked."""
    number = number or job()
    if not number or not shutil.which("scontrol"):
        return {}
    try:
        answer = _scontrol("show", "--oneliner", "job", number).stdout
    except subprocess.TimeoutExpired:
        return {}
    return dict(word.split("=", 1) for word in answer.split() if "=" in word)


def end_time(found: dict[str, str]) -> str:
    """When the job's time limit is reached, in seconds since the epoch; "" without a limit."""
    try:
        return str(int(datetime.fromisoformat(found.get("EndTime", "")).timestamp()))
    except ValueError:
        return ""


def running(state: str) -> bool:
    """Whether a job of this state has processes that go on."""
    return state in ("RUNNING", "SIGNALING", "STOPPED", "SUSPENDED")


def over(state: str) -> bool:
    """Whether a job of this state has ended for good."""
    return not running(state) and state not in ("PENDING", "CONFIGURING", "COMPLETING", "REQUEUED", "RESIZING")


def withdrawn(found: dict[str, str], planned_end: str) -> bool:
    """Whether the job is being ended before its time, by its user or for another job (which Slurm itself requeues).

    While its processes are ended, a job is COMPLETING, whatever the reason.
    """
    return not running(found.get("JobState", "RUNNING")) and not (planned_end and time.time() >= int(planned_end))


def requeue() -> None:
    """Put this job back into the queue; Slurm ends its processes. Raises FlowError with Slurm's reason."""
    done = _scontrol("requeue", job())
    if done.returncode:
        raise FlowError(f"scontrol requeue {job()}: {done.stderr.strip()}; submit the same line again by hand")


def _scontrol(*words: str) -> subprocess.CompletedProcess:
    # Its own session: signals to the job's processes must not hit a requeue on its way.
    return subprocess.run(
        ["scontrol", *words],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
        start_new_session=True,
    )
