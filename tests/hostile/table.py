"""What a row of a hostile table is: what is there, the line that is typed, and how it must end."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from inside import Done, mpiflow

from jobs import SMALL

Prepare = Callable[[Path], None]
#: The run file of these tables: on a torus, where metrics cost next to nothing.
JOB = SMALL.format(coupling="none") + "[manifold]\nambient = 2\n"


@dataclass(frozen=True)
class Row:
    """One input. before: what is put into the folder first. ours: how names begin that the command may change or make.

    says: facts of the one line that answers bad input (or of what is printed, where it works). after: looked at in the end.
    """

    name: str
    line: str | list[str]
    code: int
    says: tuple[str, ...] = ()
    before: tuple[Prepare, ...] = ()
    ours: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    after: Callable[[Path, Done], None] = lambda folder, done: None


def checked(row: Row, folder: Path) -> None:
    """Prepare, run, and hold the row against what happened."""
    (folder / "small.toml").write_text(JOB)
    for prepare in row.before:
        prepare(folder)
    kept = tree(folder, row.ours)
    done = mpiflow(row.line, folder, row.env)
    assert done.returncode == row.code, done
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert tree(folder, row.ours) == kept, "a file of the user's has changed"
    if row.code in (2, 3, 4):
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1 or "Usage:" in done.stderr, done.stderr
    for word in row.says:
        assert word in (done.stdout + done.stderr), done
    assert all(c.isprintable() or c == "\n" for c in done.stdout + done.stderr), repr(done)
    row.after(folder, done)


def tree(folder: Path, ours: tuple[str, ...] = ()) -> dict[str, str]:
    """Every file, link and folder, but those whose names begin as ours, with what is in it."""
    found = {}
    for where, folders, names in os.walk(os.fsencode(folder)):
        for name in folders + names:
            path = os.path.join(where, name)
            relative = os.path.relpath(path, os.fsencode(folder)).decode(errors="backslashreplace")
            if not relative.startswith(ours):
                found[relative] = _content(path)
    return found


def _content(path: bytes) -> str:
    if os.path.islink(path):
        return f"link to {os.readlink(path)!r}"
    if not os.path.isfile(path):
        return "no file"
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@cache
def _made() -> Path:
    """A finished run and a data set, made once."""
    folder = Path(mkdtemp(prefix="mpiflow-hostile-"))
    (folder / "small.toml").write_text(JOB)
    assert mpiflow("run small.toml -o run --quiet", folder).returncode == 0
    assert mpiflow("points small.toml -o data.npz", folder).returncode == 0
    return folder


def finished(name: str = "run") -> Prepare:
    """A finished run of small.toml, in a folder of this name."""
    return lambda folder: shutil.copytree(_made() / "run", folder / name, symlinks=True) and None


def dataset(name: str) -> Prepare:
    """The points of small.toml in a file of this name."""
    return lambda folder: shutil.copy(_made() / "data.npz", folder / name) and None


def text(name: str, content: str = "of the user's\n") -> Prepare:
    """A file of the user's."""

    def prepare(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    return prepare


def place(name: str) -> Prepare:
    """A folder."""
    return lambda folder: (folder / name).mkdir(parents=True)


def link(name: str, to: str) -> Prepare:
    """A symbolic link, in place of what is there."""

    def prepare(folder: Path) -> None:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(to)

    return prepare


def without(*names: str) -> Prepare:
    """What is there is removed."""

    def prepare(folder: Path) -> None:
        for name in names:
            shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()

    return prepare
