"""The file operations of a write, in one small class, so that a test can make any one of them fail."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 20


class Disk:
    """The real file system. Every method raises OSError as the system does."""

    def create(self, path: Path) -> int:
        """Make a new file and open it for writing: neither a file nor a link may have its name. Returns its descriptor."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)

    def extend(self, path: Path) -> int:
        """Open a regular file for appending, new or not; a link is not followed. Returns its descriptor."""
        return _regular(path, os.O_WRONLY | os.O_APPEND)

    def hold(self, path: Path) -> int:
        """Open a regular file to read it and to rewrite it, new or not; a link is not followed. Returns its descriptor."""
        return _regular(path, os.O_RDWR)

    def rewrite(self, descriptor: int, content: bytes) -> None:
        """Make this the content of a file that is held."""
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)
        os.fsync(descriptor)

    def write(self, descriptor: int, piece: memoryview) -> None:
        """Append a piece, whole."""
        while piece:
            piece = piece[os.write(descriptor, piece) :]

    def sync(self, descriptor: int) -> None:
        """Wait until the file is on the disk; drop it from the cache, so that it is read back from there."""
        os.fsync(descriptor)
        if hasattr(os, "posix_fadvise"):  # not on a Mac
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        os.close(descriptor)

    def read(self, path: Path) -> Iterator[bytes]:
        """The bytes of a file in pieces."""
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece

    def replace(self, source: Path, target: Path) -> None:
        """Give a file its final name, in one step."""
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        """Delete a file."""
        os.unlink(path)

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in a folder are on the disk, where the file system knows how."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(descriptor)


def _regular(path: Path, how: int) -> int:
    # Without O_NONBLOCK the opening of a pipe that nobody reads would wait for ever.
    descriptor = os.open(path, how | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


DISK = Disk()
