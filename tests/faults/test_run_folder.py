"""The program on a broken disk, in a taken folder, among damaged states."""

from __future__ import annotations

import errno
import os
import socket
import subprocess

import driver
import pytest
from driver import FULL
from facts import tells
from states import small_arrays

from mpiflow.state import commit, load, naming, status

DISK = [("write", 1, errno.ENOSPC), ("sync", 4, errno.EIO)]
EVERY_DISK = [
    (operation, n, number)
    for operation in ("create", "write", "sync", "close", "read", "replace", "sync_folder")
    for n, number in ((1, errno.EIO), (4, errno.ENOSPC))
]


@pytest.mark.parametrize("operation, n, number", EVERY_DISK if FULL else DISK[1:])
def test_a_failing_disk_ends_the_run_with_one_clear_error(job, unhurt, tmp_path, operation, n, number, row):
    folder = tmp_path / "run"
    start = driver.Run(job, folder, fault=f"disk {operation} {n} {number}")
    # Where the first file of all cannot be written, no work was begun: that is a bad folder.
    code = start.wait(60)
    assert code == 4 or (code == 2 and n == 1), start.text()
    errors = [line for line in start.text().splitlines() if "mpiflow: error:" in line]
    assert len(errors) == 1 and os.strerror(number) in errors[0] and "Traceback" not in start.text()
    assert all(sound for _, sound, _ in load.verify(folder))
    driver.finish(job, folder)
    assert driver.numbers(folder) == unhurt
    row(
        "failing write, whole run",
        f"{operation}: {errno.errorcode[number]}",
        f"exit {code}, one clear error, no hang; resumed, bit-identical",
    )


@pytest.mark.skipif(not FULL or os.geteuid() != 0, reason="the full campaign does it, as root")
def test_a_full_disk_ends_the_run_and_is_resumed_when_freed(job, unhurt, tmp_path, row):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    try:
        ballast = disk / "ballast"
        for left in (0, 8, 40, 120, 500):
            ballast.write_bytes(bytes(2 * 2**20 - left * 1024))
            start = driver.Run(job, disk / "run")
            assert start.wait(60) == 4, start.text()
            assert os.strerror(errno.ENOSPC) in start.text() and "Traceback" not in start.text()
            ballast.unlink()
        driver.finish(job, disk / "run")
        assert driver.numbers(disk / "run") == unhurt
    finally:
        subprocess.run(["umount", disk], check=True)
    row("full disk, whole run", "a tmpfs with 0 to 500 kB left", "exit 4, one clear error; resumed, bit-identical")


def test_a_second_run_in_the_same_folder_is_refused(job, unhurt, tmp_path, row):
    folder = tmp_path / "run"
    first = driver.Run(job, folder)
    first.until(lambda: driver.newest(folder) >= 0)
    second = driver.Run(job, folder)
    # Held still, the first cannot be done before the second has asked.
    for pid in first.ranks():
        os.kill(pid, driver.signal.SIGSTOP)
    code = second.wait()
    for pid in first.ranks():
        os.kill(pid, driver.signal.SIGCONT)
    assert code == 2
    (told,) = [line for line in second.text().splitlines() if "mpiflow: error:" in line]
    tells(told, first.ranks()[0], socket.gethostname())
    assert first.wait() == 0, first.text()
    assert driver.numbers(folder) == unhurt
    row("two writers", "the same run started twice", "the second refuses and names the first")


def test_a_folder_that_takes_the_place_of_a_runs_own_is_left_alone(job, unhurt, tmp_path, row):
    folder, moved, other = (tmp_path / name for name in ("run", "moved", "other"))
    other.mkdir()
    commit.write(other, 1, small_arrays(), {})
    status.report(other, "stopped", 1, 9, 75)
    before = {path.name: path.read_bytes() for path in other.iterdir()}
    start = driver.Run(job, folder)
    start.until(lambda: driver.newest(folder) >= 2)
    folder.rename(moved)
    other.rename(folder)
    assert start.wait() == 4, start.text()
    (told,) = [line for line in start.text().splitlines() if "mpiflow: error:" in line]
    assert str(folder) in told
    assert "Traceback" not in start.text()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    folder.rename(other)
    moved.rename(folder)
    driver.finish(job, folder)
    assert driver.numbers(folder) == unhurt
    row(
        "run folder replaced",
        "by that of another run, while it runs",
        "exit 4, the other untouched; resumed, bit-identical",
    )


def test_damaged_states_are_told_and_the_one_before_is_used(job, unhurt, tmp_path, row):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "STOP").write_text("9")
    assert driver.Run(job, folder).wait() == 75
    states = [path for _, path in naming.states(folder)]
    states[-1].write_bytes(states[-1].read_bytes()[:-4096])
    content = bytearray(states[-2].read_bytes())
    content[len(content) // 2] ^= 4
    states[-2].write_bytes(content)
    start = driver.Run(job, folder)
    assert start.wait() == 0, start.text()
    assert f"resumed from step {naming.step_of(states[-3])}" in start.text()
    assert states[-1].name in start.text() and states[-2].name in start.text()
    assert driver.numbers(folder) == unhurt and status.read(folder)["state"] == "done"
    row("damaged states, whole run", "the newest torn, the one before flipped", "told; the third used, bit-identical")
