"""Files are whole or absent, through no link, under names of their own; results never replace what is not theirs."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from facts import telling

from mpiflow.errors import InputError, WriteError
from mpiflow.files import append, claims, put, take
from mpiflow.files.disk import DISK
from mpiflow.files.temporary import temporaries, temporary


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a"
    for content in ("first", b"second", [memoryview(b"thi"), memoryview(b"rd")]):
        put(path, content)
    assert path.read_bytes() == b"third" and list(tmp_path.iterdir()) == [path]


def test_what_a_check_refuses_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    put(path, "old")

    def refuse(temp):
        assert temp.read_text() == "new"
        raise WriteError("not so")

    with telling(WriteError, path, "not so"):
        put(path, "new", check=refuse)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_no_link_is_followed(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "a"
    victim.write_text("victim")
    path.symlink_to(victim)
    with pytest.raises(OSError):
        DISK.create(path)
    with telling(WriteError, path, "(ELOOP)"):
        append(path, "more")
    with pytest.raises(OSError):
        DISK.hold(path)
    put(path, "own")
    assert victim.read_text() == "victim" and path.read_text() == "own" and not path.is_symlink()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_left_alone(make, tmp_path):
    path = tmp_path / "a"
    make(path)
    kind = stat.S_IFMT(path.lstat().st_mode)
    for write in (lambda: put(path, "own"), lambda: append(path, "own")):
        with pytest.raises(WriteError):
            write()
    with pytest.raises(OSError):
        take(path)
    assert stat.S_IFMT(path.lstat().st_mode) == kind and list(tmp_path.iterdir()) == [path]


def test_two_writers_never_share_a_temporary(tmp_path):
    names = {temporary(tmp_path / ("é" * 120)) for _ in range(100)}
    assert len(names) == 100 and all(len(os.fsencode(path.name)) < 256 for path in names)
    for path in names:
        path.touch()
    assert {writer.split("@")[0] for _, writer in temporaries(tmp_path)} == {str(os.getpid())}


def test_text_of_any_characters_is_written(tmp_path):
    put(tmp_path / "a", "é \udcff")
    append(tmp_path / "a", "\n[x]\x1b")
    assert (tmp_path / "a").read_text() == "é \\udcff\n[x]\x1b"


def test_small_texts_are_bounded_and_may_begin_with_a_mark(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfabc")
    assert take(tmp_path / "a") == "abc"
    with pytest.raises(OSError) as large:
        take(tmp_path / "a", limit=5)
    assert large.value.errno == errno.EFBIG and take(tmp_path / "a", limit=6)


def test_a_result_is_never_an_input(tmp_path):
    source, other = tmp_path / "a", tmp_path / "b"
    source.write_text("x")
    os.link(source, other)
    for force in (False, True):
        with telling(InputError, other, "-o"):
            claims.output_file(other, [None, source], force)
    with telling(InputError, source, "-o"):
        claims.output_folder(tmp_path, ["a"], lambda folder: True, [source], force=True)


def test_a_folder_of_ours_is_no_link(tmp_path):
    (tmp_path / "v").mkdir()
    (tmp_path / "log").symlink_to(tmp_path / "v")
    with telling(InputError, tmp_path / "log"):
        claims.inner(tmp_path, "log")
    assert claims.inner(tmp_path, "report").is_dir()


def test_paths_mean_the_place_behind_their_links(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").symlink_to("b")
    assert claims.resolved(claims.Path("c/d")) == tmp_path.resolve() / "c" / "d"
    assert claims.resolved(claims.Path(".")) == tmp_path.resolve()
    assert claims.resolved(claims.Path("a")) == tmp_path.resolve() / "b"


def test_paths_are_shown_from_where_the_program_was_started(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "_STARTED", tmp_path)
    assert claims.near(tmp_path / "runs") == tmp_path / "runs", "a user's class has changed the folder"
    monkeypatch.chdir(tmp_path)
    assert claims.near(tmp_path / "runs" / "a") == Path("runs/a") and claims.near(tmp_path) == Path(".")
    for other in (tmp_path.parent / "b", Path(f"{tmp_path}b")):
        assert claims.near(other) == other
    monkeypatch.setattr(claims, "_STARTED", None)
    assert claims.near(tmp_path) == tmp_path
