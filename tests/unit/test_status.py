"""status.json and `describe`: how a run stands, whole at every moment."""

from __future__ import annotations

import errno
import json

import pytest
from facts import telling
from faulty import Faulty
from states import ATTRIBUTES, small_arrays

from mpiflow.errors import StateError, WriteError
from mpiflow.state import commit, load, status


def test_a_status_is_read_back(tmp_path):
    status.report(tmp_path, "running", 3, 50)
    status.report(tmp_path, "stopped", 20, 50, 75, "SIGTERM")
    found = status.read(tmp_path)
    assert found.pop("time")
    assert found == {"state": "stopped", "step": 20, "steps": 50, "exit_code": 75, "message": "SIGTERM"}


@pytest.mark.parametrize("operation", ["create", "write", "sync", "close", "replace"])
def test_a_status_that_cannot_be_written_leaves_the_old_one(tmp_path, operation):
    status.report(tmp_path, "running", 3, 50)
    with telling(WriteError, tmp_path / "status.json", "(ENOSPC)"):
        status.report(tmp_path, "done", 50, 50, 0, files=Faulty(operation, 1, errno.ENOSPC))
    assert status.read(tmp_path)["step"] == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_only_known_states_are_reported(tmp_path):
    with telling(StateError, "'perhaps'", "running, stopped, done, failed"):
        status.report(tmp_path, "perhaps", 3, 50)


def test_a_file_is_described(tmp_path):
    path = commit.write(tmp_path, 7, small_arrays(), ATTRIBUTES)
    found = json.loads(json.dumps(load.describe(path)))
    assert found["step"] == 7 and found["bytes"] == path.stat().st_size
    assert found["attributes"]["config"] == ATTRIBUTES["config"]
    assert found["datasets"]["timing/flow"]["units"] == "s"


def test_a_folder_is_described_with_its_damaged_states(tmp_path):
    commit.write(tmp_path, 7, small_arrays(), ATTRIBUTES)
    torn = commit.write(tmp_path, 8, small_arrays(), ATTRIBUTES)
    torn.write_bytes(torn.read_bytes()[:4096])
    status.report(tmp_path, "running", 8, 50)
    found = json.loads(json.dumps(load.describe(tmp_path)))
    assert [file["sound"] for file in found["files"]] == [True, False]
    assert found["latest"]["step"] == 7 and found["status"]["step"] == 8 and found["lock"] is None


def test_a_foreign_folder_is_refused(tmp_path):
    with telling(StateError, tmp_path):
        load.describe(tmp_path)


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with telling(StateError, tmp_path / "notes.txt"):
        load.describe(tmp_path / "notes.txt")
