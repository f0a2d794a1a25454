"""Signals in stages without steps: such a stage ends at once, wherever its rank is; before and after it a step hears."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from facts import telling

from jobs import JOBS
from mpiflow.comm import Comm
from mpiflow.errors import Stopped
from mpiflow.job import triggers
from mpiflow.ranks import hearing

BIN = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    monkeypatch.setattr(hearing, "received", [])
    before = {number: signal.signal(number, signal.SIG_DFL) for number in triggers.SIGNALS}
    triggers.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def stage():
    return hearing.at_once(Comm(), "here; all is well", triggers.caught(), lambda told: None)


@pytest.mark.parametrize("number", triggers.SIGNALS)
def test_a_signal_ends_the_stage_at_once(number):
    with telling(Stopped, number.name, "here; all is well"), stage():
        os.kill(os.getpid(), number)
        pytest.fail("the stage went on")


def test_a_signal_before_a_stage_ends_it_as_it_begins():
    os.kill(os.getpid(), signal.SIGUSR1)
    with telling(Stopped, "SIGUSR1"), stage():
        pytest.fail("the stage began")


def test_a_signal_after_a_stage_waits_for_a_step(tmp_path):
    with stage():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    assert triggers.Triggers(Comm(), tmp_path).decide(1, 0.0).stop == "SIGTERM"


def test_a_second_signal_does_not_disturb_the_first():
    undisturbed = False
    with telling(Stopped, "SIGTERM"), stage():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGUSR1)
            undisturbed = True
    assert undisturbed


def test_the_wakeup_of_others_is_given_back():
    with stage():
        assert signal.set_wakeup_fd(-1) != -1
    assert signal.set_wakeup_fd(-1) == -1


#: Minutes of LAPACK, in which no line of Python runs.
DEAF = """
import os, signal, threading
import numpy as np
from mpiflow.job import triggers
from mpiflow.comm import Comm
from mpiflow.ranks import hearing
hearing.PATIENCE = 0.2
matrix = np.random.default_rng(0).random((3000, 3000))
triggers.install()
threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
with hearing.at_once(Comm(), "deep down", triggers.caught(), lambda told: print(told, flush=True)):
    np.linalg.eig(matrix)
"""


def test_a_rank_in_c_code_is_ended_where_it_does_not_come_back():
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-P", "-c", DEAF], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 75 and done.stdout == "stopped by SIGTERM deep down\n", done
    assert time.monotonic() - began < 10


def test_a_run_ends_in_the_middle_of_choosing_its_basis(tmp_path):
    """On two ranks: rank 0 is at work and hears nothing; rank 1, which does, waits for it in C code."""
    words = ["run", JOBS / "kaehler.toml", "-o", tmp_path / "run", "--set", "kernel.degree=30"]
    words += ["--set", "points.train=20000", "--set", "engine.memory=0.1"]
    command = [BIN / "mpiexec", "-n", "2", BIN / "mpiflow", *words]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = tmp_path / "run" / "log" / "rank-0000.log"
    while "processes of the ranks" not in (text := log.read_text() if log.exists() else ""):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    pids = [int(word.split()[0]) for word in text.partition("processes of the ranks: ")[2].split(", ")]
    time.sleep(1)
    os.kill(pids[1], signal.SIGTERM)
    began = time.monotonic()
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 75 and time.monotonic() - began < 12
    assert told.count("SIGTERM") == 1 and "Traceback" not in told, told
