"""Stale shared-memory segments go; those that a process maps, that are new or that are not MPICH's stay."""

from __future__ import annotations

import mmap
import os

from mpiflow.ranks.segments import remove_stale


def segment(folder, name, age):
    path = folder / name
    path.write_bytes(bytes(4096))
    os.utime(path, (path.stat().st_mtime - age,) * 2)
    return path


def test_only_stale_segments_are_removed(tmp_path):
    stale = segment(tmp_path, "mpich_shm_1_0", 100)
    new = segment(tmp_path, "mpich_shm_2_0", 0)
    foreign = segment(tmp_path, "sem.other", 100)
    used = segment(tmp_path, "mpich_shm_3_0", 100)
    with used.open("r+b") as file, mmap.mmap(file.fileno(), 4096):
        assert remove_stale(tmp_path) == [stale]
    assert sorted(tmp_path.iterdir()) == sorted([new, foreign, used])
    assert remove_stale(tmp_path) == [used]


def test_no_folder_no_segments(tmp_path):
    assert remove_stale(tmp_path / "missing") == []
