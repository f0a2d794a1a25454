"""The lock of a run folder: one writer, and a dead one does not lock out the next."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys

import pytest
from facts import telling

from mpiflow.errors import StateError, WriteError
from mpiflow.state import holder
from mpiflow.state.lock import RunLock

HOLD = """
import sys, time
from mpiflow.state.lock import RunLock
with RunLock(sys.argv[1]):
    print(flush=True)
    time.sleep(99)
"""


@pytest.fixture
def no_flock(monkeypatch):
    def refuse(*arguments):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)


def left_behind(folder, **other):
    left = holder.this_process() | {"pid": 2**22 - 1, "start": "2026-01-01 00:00:00 +0000"} | other
    (folder / holder.LOCK).write_text(json.dumps(left))


def test_the_second_writer_is_refused_with_the_name_of_the_first(tmp_path):
    first = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE)
    try:
        first.stdout.readline()
        with telling(StateError, tmp_path, first.pid, socket.gethostname()):
            RunLock(tmp_path, patience=0).__enter__()
    finally:
        first.kill()
        first.wait()
    with RunLock(tmp_path, patience=0):
        assert holder.mine(tmp_path)


def test_a_lock_that_was_given_back_is_free(tmp_path):
    for _ in range(2):
        with RunLock(tmp_path, patience=0):
            assert holder.holder(tmp_path)["pid"] == os.getpid()
        assert holder.holder(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", '{"host": 1}'])
def test_a_torn_lock_is_nobodys(tmp_path, text):
    (tmp_path / holder.LOCK).write_text(text)
    with RunLock(tmp_path, patience=0):
        assert holder.mine(tmp_path)


def test_a_holder_on_another_machine_is_believed(tmp_path):
    left_behind(tmp_path, host="node17", job="")
    with telling(StateError, tmp_path, "node17"):
        RunLock(tmp_path, patience=0).__enter__()


def test_a_requeued_job_takes_over_from_its_former_self(tmp_path, monkeypatch):
    left_behind(tmp_path, host="node17", job="4711", restart="0")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    with telling(StateError, tmp_path, "node17", 4711):
        RunLock(tmp_path, patience=0).__enter__()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    with RunLock(tmp_path, patience=0):
        assert holder.mine(tmp_path)


@pytest.mark.parametrize(
    "script, free",
    [
        ("echo RUNNING", False),
        ("echo COMPLETING", False),
        ("true", True),
        ("echo slurm_load_jobs error: Invalid job id specified >&2; exit 1", True),
        ("echo Unable to contact slurm controller >&2; exit 1", False),
    ],
)
def test_slurm_is_asked_about_another_job(tmp_path, monkeypatch, script, free):
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert holder.gone({"host": "node17", "pid": 1, "job": "4711", "restart": "0"}, None) == free


def test_without_flock_the_text_decides(tmp_path, no_flock):
    left_behind(tmp_path, pid=os.getppid())
    with telling(StateError, tmp_path, os.getppid()):
        RunLock(tmp_path, patience=0).__enter__()
    left_behind(tmp_path)
    with RunLock(tmp_path, patience=0):
        assert holder.mine(tmp_path)


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOSPC, "as the system says it")

    monkeypatch.setattr(os, "pwrite", refuse)
    with telling(WriteError, tmp_path / holder.LOCK, "(ENOSPC)"):
        RunLock(tmp_path).__enter__()
    monkeypatch.undo()
    with RunLock(tmp_path, patience=0):
        assert holder.mine(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    with telling(StateError, tmp_path / "missing" / holder.LOCK):
        RunLock(tmp_path / "missing").__enter__()
