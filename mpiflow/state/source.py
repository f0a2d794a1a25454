"""A file to be read that may be anything: opened only if it is a regular file, and read by place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mpiflow.errors import StateError
from mpiflow.files.disk import PIECE
from mpiflow.state import seal


class GoneError(StateError):
    """The file was there a moment ago, as its name in a folder said: a run has pruned it meanwhile."""


class Source:
    """An open regular file: `with Source(path) as source`. It stays whole while it is open, also if its name goes.

    Raises StateError for anything but a regular file, without waiting and without reading; GoneError for nothing.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        try:
            # Looked at first: opening a device may already do something.
            _regular(self.path, os.stat(self.path))
            self.descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            kind = StateError if os.path.lexists(self.path) else GoneError
            raise kind(f"{self.path} cannot be read: there is no such file") from None
        except (OSError, ValueError) as error:
            raise StateError(f"{self.path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
        try:
            found = os.fstat(self.descriptor)
            _regular(self.path, found)
        except BaseException:
            os.close(self.descriptor)
            raise
        self.size = found.st_size

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.descriptor)

    def sealed(self) -> str:
        """Hold the whole file against its seal; returns the SHA-256 in it. Raises StateError."""
        wanted = seal.promised(self.path, b"".join(self.pieces(0, seal.SIZE)))
        if self.size != seal.SIZE + wanted:
            raise StateError(f"{self.path} is torn: {max(self.size - seal.SIZE, 0)} of {wanted} bytes are there")
        return seal.hold(self.path, self.pieces(0, self.size))

    def pieces(self, start: int, size: int) -> Iterator[bytes]:
        """The bytes from a place on, in pieces; fewer where the file ends."""
        while size > 0:
            piece = self._pread(min(size, PIECE), start)
            if not piece:
                return
            yield piece
            start, size = start + len(piece), size - len(piece)

    def fill(self, array: np.ndarray, start: int) -> None:
        """Read the values of a contiguous array from a place on. Raises StateError where the file ends before."""
        view = memoryview(array.reshape(-1).view(np.uint8))
        for piece in self.pieces(start, len(view)):
            view[: len(piece)] = piece
            view = view[len(piece) :]
        if len(view):
            raise StateError(f"{self.path} became shorter while it was read; read it again")

    def _pread(self, size: int, start: int) -> bytes:
        try:
            return os.pread(self.descriptor, size, start)
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror or error}") from None


def _regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StateError(f"{path} cannot be read: it is no regular file; give a run folder or a state-*.h5 file")
