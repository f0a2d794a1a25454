"""What ends a command: told in one line, with the exit code of what it was."""

import os

import pytest
from facts import tells

from mpiflow.ranks.ending import ends_together


def test_a_working_directory_that_was_removed_is_one_line(tmp_path, monkeypatch, capfd):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SystemExit) as leaving, ends_together():
        os.getcwd()
    assert leaving.value.code == 2
    tells(capfd.readouterr().err.strip(), "error")


def test_a_file_that_is_not_there_is_no_fault_of_the_directory(monkeypatch, capfd, tmp_path):
    with pytest.raises(FileNotFoundError), ends_together():
        (tmp_path / "absent").read_text()
    assert "directory" not in capfd.readouterr().err.splitlines()[:1]
