"""Triggers: each wish to save or stop is heard once, at a step boundary, and nothing else happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from facts import telling

from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.job import triggers
from mpiflow.job.triggers import Decision, Triggers
from mpiflow.ranks import hearing


@pytest.fixture(autouse=True)
def no_slurm_no_signals(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    monkeypatch.setattr(hearing, "received", [])


@pytest.fixture
def handlers():
    # A shell that starts the tests in the background has SIGINT ignored, which install() would leave alone.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in triggers.SIGNALS}
    triggers.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_nothing_asked_nothing_done(tmp_path):
    assert Triggers(Comm(), tmp_path).decide(7, 0.0) == Decision(False, "")


def test_every_kth_step_saves(tmp_path):
    asked = Triggers(Comm(), tmp_path, every_steps=5)
    assert [step for step in range(1, 16) if asked.decide(step, 0.0).save] == [5, 10, 15]


def test_every_second_saves_and_starts_the_clock_again(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    asked = Triggers(Comm(), tmp_path, every_seconds=10.0)
    saved = []
    for step in range(1, 31):
        now[0] += 1.0
        if asked.decide(step, 0.0).save:
            saved.append(step)
    assert saved == [10, 20, 30]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT])
def test_a_signal_stops_with_a_state_saved(tmp_path, handlers, number):
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert Triggers(Comm(), tmp_path).decide(1, 0.0) == Decision(True, signal.Signals(number).name)


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {number: signal.getsignal(number) for number in triggers.SIGNALS}
    try:
        triggers.install()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, handler in others.items():
            signal.signal(number, handler)
        signal.signal(signal.SIGHUP, before)


def test_a_signal_while_the_process_ends_does_not_spoil_its_exit_code():
    program = """
import os, signal, sys
from mpiflow.job import triggers
triggers.install()
class Last:
    def __del__(self):
        self.kill(self.pid, self.number)
last = Last()
last.kill, last.pid, last.number = os.kill, os.getpid(), signal.SIGTERM
sys.last = last
sys.exit(75)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 75


def test_an_empty_stop_file_stops_once(tmp_path):
    (tmp_path / "STOP").touch()
    asked = Triggers(Comm(), tmp_path)
    assert asked.decide(3, 0.0) == Decision(True, f"the file {tmp_path / 'STOP'}")
    assert asked.decide(4, 0.0) == Decision(False, "")


def test_a_stop_file_with_a_step_waits_for_it(tmp_path):
    (tmp_path / "STOP").write_text("3\n")
    asked = Triggers(Comm(), tmp_path)
    assert [bool(asked.decide(step, 0.0).stop) for step in (1, 2, 3, 4)] == [False, False, True, False]


@pytest.mark.parametrize("content", [b"\xff\xfe", "²".encode(), b"9" * 5000, b"now\n" * 1000])
def test_a_stop_file_of_anything_else_stops_at_once(tmp_path, content):
    (tmp_path / "STOP").write_bytes(content)
    assert Triggers(Comm(), tmp_path).decide(3, 0.0).stop == f"the file {tmp_path / 'STOP'}"


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/nowhere"), lambda path: path.symlink_to(path)]
)
def test_what_is_no_stop_file_neither_stops_nor_blocks(tmp_path, make):
    make(tmp_path / "STOP")
    assert Triggers(Comm(), tmp_path).decide(3, 0.0) == Decision(False, "")


@pytest.mark.parametrize("save_seconds, stops", [(2.0, False), (40.0, True)])
def test_the_deadline_leaves_time_for_the_save(tmp_path, monkeypatch, save_seconds, stops):
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 60))
    decision = Triggers(Comm(), tmp_path).decide(1, save_seconds)
    assert decision.save == stops
    assert ("time limit" in decision.stop) == stops


def test_the_deadline_leaves_time_for_a_long_step(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(triggers, "_born", 0.0)
    asked = Triggers(Comm(), tmp_path, max_time=100.0)
    stopped = []
    for step in range(1, 10):
        now[0] += 20.0
        stopped.append(bool(asked.decide(step, 1.0).stop))
    assert stopped.index(True) == 2


def test_the_earlier_of_two_deadlines_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 100000))
    assert Triggers(Comm(), tmp_path, max_time=1e-9).decide(1, 0.0).stop


@pytest.mark.parametrize("name", ["max_time", "every_steps", "every_seconds"])
def test_intervals_must_be_positive(tmp_path, name):
    with telling(InputError, f"{name} = 0"):
        Triggers(Comm(), tmp_path, **{name: 0})


def test_installing_handlers_imports_nothing_slow():
    program = "import sys; from mpiflow.job import triggers; triggers.install(); print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"mpi4py", "h5py", "scipy", "numba", "pydantic", "typer", "rich"} & set(names)


def test_the_longest_of_the_last_steps_must_fit_twice_before_the_deadline(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(triggers, "_born", 0.0)
    asked = Triggers(Comm(), tmp_path, max_time=20.0)
    asked.expect(0.1)
    for step, (seconds, stops) in enumerate([(6.0, False), (0.5, False), (0.5, False), (1.0, True)], 1):
        now[0] += seconds
        assert bool(asked.decide(step, 0.0).stop) == stops
