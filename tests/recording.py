"""A disk that notes what is done to it, and what a crash may leave of that: only what fsync has promised is certain.

fsync of a file makes its bytes certain and not its name; fsync of a folder makes the names in it certain. All else may be
lost: any page of a file, and of any name what became of it since the last fsync of the folder, or the end of that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from mpiflow.files.disk import Disk

PAGE = 4096

#: ("create", name, file), ("write", file, bytes), ("sync", file), ("close", file), ("replace", source, target),
#: ("remove", name), ("sync folder",), and ("returned", step), which a test adds; files are numbered.
Operation = tuple


class Recording(Disk):
    """The real disk, for one folder. `operations`: what was done, in order; a sync where fsync was really called for it."""

    def __init__(self, folder: Path, earlier: Sequence[Operation] = ()):
        """earlier: what was done by those who filled the folder, and were killed."""
        self.folder, self.operations = folder, list(earlier)
        self._open: dict[int, int] = {}
        self._numbers = count(sum(verb == "create" for verb, *_ in earlier))

    def create(self, path):
        descriptor = super().create(path)
        self._open[descriptor] = next(self._numbers)
        self.operations.append(("create", self._name(path), self._open[descriptor]))
        return descriptor

    def extend(self, path):
        raise NotImplementedError(f"{path}: no state is appended to")

    def write(self, descriptor, piece):
        self.operations.append(("write", self._open[descriptor], bytes(piece)))
        super().write(descriptor, piece)

    def sync(self, descriptor):
        with _fsyncs() as reached:
            super().sync(descriptor)
        if os.fstat(descriptor).st_ino in reached:
            self.operations.append(("sync", self._open[descriptor]))

    def close(self, descriptor):
        self.operations.append(("close", self._open.pop(descriptor)))
        super().close(descriptor)

    def replace(self, source, target):
        self.operations.append(("replace", self._name(source), self._name(target)))
        super().replace(source, target)

    def remove(self, path):
        self.operations.append(("remove", self._name(path)))
        super().remove(path)

    def sync_folder(self, folder):
        with _fsyncs() as reached:
            super().sync_folder(folder)
        if self.folder.stat().st_ino in reached:
            self.operations.append(("sync folder",))

    def _name(self, path: Path) -> str:
        assert path.parent == self.folder, f"{path} is not in the folder that is recorded"
        return path.name


@contextmanager
def _fsyncs() -> Iterator[list[int]]:
    """The inodes that os.fsync is called for meanwhile; it does nothing else, which is quicker."""
    reached: list[int] = []
    with mock.patch.object(os, "fsync", lambda descriptor: reached.append(os.fstat(descriptor).st_ino)):
        yield reached


class Loss(NamedTuple):
    """What a crash takes: a name goes back to an earlier of its files, or a page of a file is not as it was written."""

    what: str | int
    page: int
    how: int | str


class Moment:
    """What was done to a folder up to some moment, and what is left of it if the machine fails then.

    names: the files (None: no file) that each name has had since the last sync of the folder, the newest last; ever: all
    that it has had; written and certain: the bytes of each file, and how many of them are synced; returned: the steps.
    """

    def __init__(self, operations: list[Operation]):
        self.names: dict[str, list[int | None]] = {}
        self.ever: dict[str, set[int]] = {}
        self.written: dict[int, bytearray] = {}
        self.certain: dict[int, int] = {}
        self.returned: set[int] = set()
        for verb, *what in operations:
            getattr(self, "_" + verb.replace(" ", "_"))(*what)

    def losses(self) -> list[Loss]:
        """Everything that may be lost here, each by itself."""
        names = [Loss(name, -1, version) for name, files in self.names.items() for version in range(len(files) - 1)]
        pages = [(file, page) for file in self.written for page in self._uncertain(file)]
        return names + [Loss(file, page, how) for file, page in pages for how in ("cut off", "zeros", "stale")]

    def after(self, losses: list[Loss]) -> dict[str, bytes]:
        """The names and bytes that are found after a crash that took these (the later of two that contradict)."""
        versions = {loss.what: loss.how for loss in losses if loss.page < 0}
        found = {name: files[versions.get(name, -1)] for name, files in self.names.items()}
        return {name: self._bytes(file, losses) for name, file in found.items() if file is not None}

    def _bytes(self, file: int, losses: list[Loss]) -> bytes:
        data, end = bytearray(self.written[file]), len(self.written[file])
        for page, how in [(loss.page, loss.how) for loss in losses if loss.what == file]:
            start, stop = max(page * PAGE, self.certain[file]), min((page + 1) * PAGE, len(data))
            stale = self.written.get(file - 1, b"")[start:stop] if how == "stale" else b""
            data[start:stop] = bytes(stale).ljust(stop - start, b"\0")
            end = min(end, start) if how == "cut off" else end
        return bytes(data[:end])

    def _uncertain(self, file: int) -> range:
        certain, size = self.certain[file], len(self.written[file])
        return range(certain // PAGE, -(-size // PAGE)) if size > certain else range(0)

    def _create(self, name: str, file: int) -> None:
        self._becomes(name, file)
        self.written[file], self.certain[file] = bytearray(), 0

    def _write(self, file: int, piece: bytes) -> None:
        self.written[file] += piece

    def _sync(self, file: int) -> None:
        self.certain[file] = len(self.written[file])

    def _close(self, file: int) -> None:
        pass

    def _replace(self, source: str, target: str) -> None:
        self._becomes(target, self.names[source][-1])
        self._becomes(source, None)

    def _remove(self, name: str) -> None:
        self._becomes(name, None)

    def _sync_folder(self) -> None:
        self.names = {name: files[-1:] for name, files in self.names.items() if files[-1] is not None}

    def _returned(self, step: int) -> None:
        self.returned.add(step)

    def _becomes(self, name: str, file: int | None) -> None:
        self.names.setdefault(name, [None]).append(file)
        if file is not None:
            self.ever.setdefault(name, set()).add(file)
