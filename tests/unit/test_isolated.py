"""HDF5 looks into files in a process of its own, which no file, folder or environment of a user's gets into."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from facts import telling
from states import ATTRIBUTES, same, small_arrays

from mpiflow.errors import StateError
from mpiflow.state import commit, isolated, load, naming, seal


@pytest.fixture
def path(tmp_path):
    return commit.write(tmp_path, 20, small_arrays(), ATTRIBUTES)


def resealed(path, change):
    """Change a state through HDF5, or through its bytes, and seal it anew."""
    with h5py.File(path, "r+") as file:
        change(file)
    content = path.read_bytes()[seal.SIZE :]
    path.write_bytes(seal.make(content) + content)


def test_what_lies_in_the_current_folder_is_not_imported(path, tmp_path):
    for name in ("h5py", "numpy", "json", "socket", "mpiflow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the current folder')")
    program = "import sys; sys.path.remove(''); from mpiflow.state import load; print(load.verify(sys.argv[1])[0][1])"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.stdout.strip() == "True", done.stderr


def test_pythonpath_does_not_reach_it(path, tmp_path, monkeypatch):
    (tmp_path / "h5py.py").write_text("raise SystemExit(9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    isolated._SHARED.end(0)
    assert same(load.read(path).arrays, small_arrays())


def test_a_signal_to_all_processes_of_a_job_is_no_verdict(path):
    load.read(path)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        isolated._SHARED._process.send_signal(number)
    assert load.read(path).step == 20


def test_a_reader_that_ends_between_two_questions_is_started_again(path):
    load.read(path)
    isolated._SHARED._process.kill()
    isolated._SHARED._process.wait()
    assert load.read(path).step == 20


def test_a_library_that_keeps_a_file_open_leaves_room_for_the_state(path, monkeypatch):
    """As libffi does on some systems: the reader's own limit of files must count it."""
    python, isolation, no_site, *words = isolated._command()
    opening = "import os, runpy, sys; os.open(os.devnull, 0); sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
    monkeypatch.setattr(isolated, "_command", lambda: [python, isolation, no_site, "-c", opening, *words])
    isolated._SHARED.end(0)
    assert same(load.read(path).arrays, small_arrays())
    isolated._SHARED.end(0)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_only_regular_files_are_opened(tmp_path, make):
    strange = naming.state_path(tmp_path, 1)
    make(strange)
    began = time.monotonic()
    with telling(StateError, strange):
        load.read(strange)
    assert load.latest(tmp_path, lambda text: None) is None
    assert [sound for _, sound, _ in load.verify(tmp_path)] == [False] and time.monotonic() - began < 2


def test_a_link_to_nothing_is_told_at_once(tmp_path):
    naming.state_path(tmp_path, 1).symlink_to(tmp_path / "nothing")
    assert [sound for _, sound, _ in load.verify(tmp_path)] == [False]


def test_a_changed_attribute_is_seen_though_the_seal_is_new(path):
    resealed(path, lambda file: file.attrs.__setitem__("seed", 8))
    with telling(StateError, path, "SHA-256", "contents"):
        load.read(path)


def test_a_dataset_that_is_gone_is_seen_though_the_seal_is_new(path):
    resealed(path, lambda file: file.__delitem__("points/weight"))
    with telling(StateError, path, "SHA-256", "contents"):
        load.read(path)


def test_values_that_are_not_finite_are_seen_though_every_checksum_agrees(path):
    def change(file):
        from mpiflow.state.contents import digest

        del file.attrs["contents"], file.attrs["resumed"]
        file["history/dt"][2] = np.nan
        file["history/dt"].attrs["sha256"] = digest(file["history/dt"][()])

    resealed(path, change)
    with telling(StateError, path, "history/dt[2]"):
        load.read(path)
