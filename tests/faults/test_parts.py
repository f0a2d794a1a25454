"""Large states in part files: the same state to every reader, and no missing or foreign part is read as zeros."""

from __future__ import annotations

import errno

import h5py
import pytest
from facts import telling
from faulty import Faulty
from states import ATTRIBUTES, same, small_arrays

from mpiflow.comm import Comm
from mpiflow.errors import StateError, WriteError
from mpiflow.state import commit, load, naming
from mpiflow.state.commit import Writer
from mpiflow.state.lock import RunLock

PART = 5000


@pytest.fixture
def path(tmp_path):
    return commit.write(tmp_path, 20, small_arrays(), ATTRIBUTES, part_bytes=PART)


def parts(folder):
    return [path for _, path in naming.parts(folder)]


def test_a_state_in_parts_is_the_same_state(path, tmp_path):
    assert len(parts(tmp_path)) >= 4
    state = load.read(path)
    assert same(state.arrays, small_arrays())
    assert "parts" not in state.attributes and state.attributes["config"] == ATTRIBUTES["config"]


def test_parts_are_no_states(path, tmp_path):
    assert naming.states(tmp_path) == [(20, path)]
    assert [sound for _, sound, _ in load.verify(tmp_path)] == [True]


def test_a_part_alone_is_refused(path, tmp_path):
    with telling(StateError, parts(tmp_path)[0], "-part-"):
        load.read(parts(tmp_path)[0])


def test_others_read_a_master_as_one_file(path):
    xarray = pytest.importorskip("xarray")
    with h5py.File(path) as file:
        assert file["metric/current"].is_virtual and not file["history/dt"].is_virtual
        assert (file["metric/current"][()] == small_arrays()["metric/current"]).all()
    with xarray.open_dataset(path, engine="h5netcdf", group="metric") as data:
        assert (data["current"].values == small_arrays()["metric/current"]).all()


def test_a_moved_folder_stays_whole(path, tmp_path, tmp_path_factory):
    moved = tmp_path.rename(tmp_path_factory.mktemp("elsewhere") / "run")
    assert same(load.read(moved / path.name).arrays, small_arrays())


def test_every_missing_torn_or_foreign_part_is_detected(path, tmp_path, row):
    older = commit.write(tmp_path, 10, small_arrays(1), ATTRIBUTES, part_bytes=PART)
    foreign = commit.write(tmp_path, 5, small_arrays(2), {}, part_bytes=PART)
    strange = [part for step, part in naming.parts(tmp_path) if step == 5]
    foreign.unlink()
    tried = 0
    for number, part in enumerate(part for step, part in naming.parts(tmp_path) if step == 20):
        whole = part.read_bytes()
        for damage in (None, whole[:-1], whole[:4096], whole[:-9] + b"x" + whole[-8:], strange[number].read_bytes()):
            part.unlink()
            if damage is not None:
                part.write_bytes(damage)
            with telling(StateError, path, part.name):
                load.read(path)
            assert load.latest(tmp_path, lambda text: None).path == older
            part.write_bytes(whole)
            tried += 1
    assert same(load.read(path).arrays, small_arrays())
    row("missing part", "a part missing, torn, flipped, foreign", "detected, the state before it is used", tried)


def test_the_master_is_committed_last(tmp_path):
    older = commit.write(tmp_path, 10, small_arrays(1), ATTRIBUTES, part_bytes=PART)
    n = 1
    while True:
        try:
            commit.write(tmp_path, 20, small_arrays(), ATTRIBUTES, Faulty("replace", n, errno.EIO), part_bytes=PART)
            break
        except WriteError:
            assert load.latest(tmp_path, pytest.fail).path == older
            n += 1
    assert n == len([part for step, part in naming.parts(tmp_path) if step == 20]) + 2


def test_a_state_may_be_committed_again_with_other_values(path, tmp_path):
    with pytest.raises(WriteError):
        commit.write(tmp_path, 20, small_arrays(2), {}, Faulty("replace", 3, errno.EIO), part_bytes=PART)
    assert same(load.read(path).arrays, small_arrays())


def test_parts_go_with_their_state_and_orphans_with_their_owner(tmp_path):
    with pytest.raises(WriteError):
        commit.write(tmp_path, 3, small_arrays(), {}, Faulty("replace", 3, errno.EIO), part_bytes=PART)
    assert len(parts(tmp_path)) == 2
    with RunLock(tmp_path):
        writer = Writer(Comm(), tmp_path, keep=1, part_bytes=PART)
        assert not parts(tmp_path)
        for step in (4, 5):
            writer.submit(step, small_arrays(step), {})
        writer.settle()
    assert {step for step, _ in naming.parts(tmp_path)} == {5}
    assert same(load.latest(tmp_path, pytest.fail).arrays, small_arrays(5))
