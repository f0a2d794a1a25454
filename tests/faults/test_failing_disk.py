"""Disks that fail in the middle of a commit: the old states intact, one clear error, nothing half-written."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess

import numpy as np
import pytest
from facts import telling, tells
from faulty import OPERATIONS, Faulty
from states import ATTRIBUTES, small_arrays

from mpiflow.comm import Comm
from mpiflow.errors import WriteError
from mpiflow.state import commit, load, naming
from mpiflow.state.commit import Writer


def wide_arrays() -> dict[str, np.ndarray]:
    """A state of several MiB, so that it takes several writes."""
    return {"metric/current": np.ones((30_000, 3, 3), np.complex128)}


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("stays", [False, True], ids=["once", "for good"])
def test_every_operation_may_fail(older_and_newer, number, stays, row):
    folder = older_and_newer[0].parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    third = naming.state_path(folder, 3)
    failures = 0
    for operation in OPERATIONS:
        n = 1
        while (disk := Faulty(operation, n, number, stays)) and not committed(folder, disk, number):
            assert disk.met
            # Renamed, but not known to be on the disk: whole, but not promised.
            assert third.exists() == (operation == "sync_folder")
            assert not third.exists() or load.read(third).step == 3
            third.unlink(missing_ok=True)
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
            failures, n = failures + 1, n + 1
        assert n > 1 and not disk.met
        third.unlink()
    how = f"the Nth of {', '.join(OPERATIONS)}: {errno.errorcode[number]}, {'for good' if stays else 'once'}"
    row("failing write", how, "old states intact, one clear error", failures)


def committed(folder, disk, number) -> bool:
    """Whether the commit of step 3 passes; if not, the error must name the file and what the system said."""
    try:
        commit.write(folder, 3, wide_arrays(), ATTRIBUTES, files=disk)
    except WriteError as error:
        tells(str(error), naming.state_path(folder, 3), os.strerror(number))
        return False
    return True


def test_a_disk_that_returns_other_bytes_is_noticed(older_and_newer):
    class Forgetful(Faulty):
        def read(self, path):
            yield from (piece[:-1] + b"!" for piece in super().read(path))

    with telling(WriteError, naming.state_path(older_and_newer[0].parent, 3), "SHA-256"):
        commit.write(older_and_newer[0].parent, 3, small_arrays(), {}, files=Forgetful("none", 1, 0))
    assert not naming.temporaries(older_and_newer[0].parent)


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounting a tmpfs needs root")
def test_a_full_disk_loses_nothing_and_may_be_freed(small_disk, row):
    said = []
    writer = Writer(Comm(), small_disk, keep=9, say=said.append)
    step = 0
    with telling(WriteError, "(ENOSPC)", "output.keep"):
        for step in range(1, 9):
            writer.submit(step, wide_arrays(), {})
        writer.settle()
    assert [found for found, sound, _ in load.verify(small_disk) if not sound] == []
    last = load.latest(small_disk, pytest.fail).step
    assert 1 <= last < step and not naming.temporaries(small_disk)
    naming.state_path(small_disk, 1).unlink()
    commit.write(small_disk, step, {}, {})
    assert load.latest(small_disk, pytest.fail).step == step
    row("full disk", "a tmpfs of 8 MiB", f"states to step {last} intact, one clear error, resumable once freed")
