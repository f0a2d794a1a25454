"""The writer: commits overlap with computing, old states go only after newer ones are sound."""

from __future__ import annotations

import errno
import threading

import numpy as np
import pytest
from facts import telling
from faulty import Faulty
from states import same, small_arrays

from mpiflow.comm import Comm
from mpiflow.errors import InputError, NumericalError, WriteError
from mpiflow.files.disk import Disk
from mpiflow.state import commit, holder, load, naming, retention
from mpiflow.state.commit import Writer
from mpiflow.state.lock import RunLock


class Held(Disk):
    """A disk whose writes wait until they are let go."""

    def __init__(self):
        self.go = threading.Event()

    def write(self, descriptor, piece):
        assert self.go.wait(30)
        super().write(descriptor, piece)


def steps(folder):
    return [step for step, _ in naming.states(folder)]


def test_the_flow_may_change_its_arrays_while_they_are_written(tmp_path):
    disk, arrays = Held(), small_arrays()
    writer = Writer(Comm(), tmp_path, files=disk)
    current = arrays["metric/current"]
    writer.submit(1, arrays, {})
    current[:] = 0
    disk.go.set()
    writer.settle()
    assert same(load.latest(tmp_path, pytest.fail).arrays, small_arrays())


def test_a_state_is_in_memory_once(tmp_path):
    arrays = small_arrays()
    writer = Writer(Comm(), tmp_path)
    writer.submit(1, arrays, {})
    writer.settle()
    assert not arrays


def test_a_commit_is_timed(tmp_path):
    writer = Writer(Comm(), tmp_path)
    assert writer.last_seconds == 0.0
    writer.submit(1, small_arrays(), {})
    writer.settle()
    assert writer.last_seconds > 0.0


def test_a_failure_is_told_at_the_next_call_and_once(tmp_path):
    writer = Writer(Comm(), tmp_path, files=Faulty("sync", 2, errno.EIO))
    for step in (1, 2):
        writer.submit(step, small_arrays(step), {})
    with telling(WriteError, naming.state_path(tmp_path, 2), "(EIO)"):
        writer.settle()
    writer.settle()
    assert load.latest(tmp_path, pytest.fail).step == 1


def test_the_last_few_and_every_mth_stay(tmp_path):
    writer = Writer(Comm(), tmp_path, keep=2, keep_every=4)
    for step in range(1, 11):
        writer.submit(step, small_arrays(), {})
    writer.settle()
    assert steps(tmp_path) == [4, 8, 9, 10]


def test_damaged_states_ahead_do_not_count_as_kept():
    assert retention.expired([10, 20, 30, 40], committed=20, keep=1, keep_every=None) == [10]
    assert retention.expired([10, 20, 30, 40], committed=20, keep=2, keep_every=None) == []


def test_a_state_goes_only_after_a_newer_one_is_sound(tmp_path):
    commit.write(tmp_path, 1, small_arrays(), {})
    writer = Writer(Comm(), tmp_path, keep=1, files=Faulty("sync_folder", 1, errno.EIO))
    writer.submit(2, small_arrays(), {})
    with pytest.raises(WriteError):
        writer.settle()
    assert steps(tmp_path) == [1, 2]


def test_what_cannot_be_deleted_is_told(tmp_path):
    commit.write(tmp_path, 1, small_arrays(), {})
    said = []
    writer = Writer(Comm(), tmp_path, keep=1, say=said.append, files=Faulty("remove", 1, errno.EACCES))
    writer.submit(2, small_arrays(), {})
    writer.settle()
    assert len(said) == 1 and str(naming.state_path(tmp_path, 1)) in said[0]


def test_leftovers_are_removed_by_the_holder_of_the_lock_alone(tmp_path):
    leftover = tmp_path / ".state-00000003.h5.17@node17.tmp"
    leftover.touch()
    said = []
    Writer(Comm(), tmp_path, say=said.append)
    assert leftover.exists()
    with RunLock(tmp_path):
        Writer(Comm(), tmp_path, say=said.append)
    assert not leftover.exists()
    assert len(said) == 2 and all("17@node17" in text for text in said)


@pytest.mark.parametrize("how", ["moved, a new folder in its place", "moved, another run in its place", "lock deleted"])
def test_nothing_is_written_or_deleted_in_a_folder_that_is_no_longer_the_runs(tmp_path, how):
    folder = tmp_path / "run"
    folder.mkdir()
    with RunLock(folder):
        writer = Writer(Comm(), folder, keep=1)
        writer.submit(5, small_arrays(), {})
        writer.settle()
        if "moved" in how:
            folder.rename(tmp_path / "moved")
            folder.mkdir()
        else:
            (folder / holder.LOCK).unlink()
        if "another" in how:
            commit.write(folder, 4, small_arrays(4), {})
            (folder / holder.LOCK).touch()
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        writer.submit(6, small_arrays(), {})
        with telling(WriteError, folder, holder.LOCK):
            writer.settle()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_mistake_in_the_arrays_is_told_at_once(tmp_path):
    writer = Writer(Comm(), tmp_path)
    with telling(NumericalError, "history/loss[0]"):
        writer.submit(1, {"history/loss": np.array([np.nan])}, {})


@pytest.mark.parametrize(("wrong", "fact"), [({"keep": 0}, "output.keep = 0"), ({"keep_every": 0}, "keep_every = 0")])
def test_retention_keeps_at_least_one(tmp_path, wrong, fact):
    with telling(InputError, fact):
        Writer(Comm(), tmp_path, **wrong)


def test_the_lock_file_is_no_state(tmp_path):
    (tmp_path / holder.LOCK).touch()
    assert not load.verify(tmp_path)
