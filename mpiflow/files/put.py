"""The function that writes files: an exclusive temporary beside the file, fsync, replace, fsync of the folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from mpiflow.errors import WriteError
from mpiflow.files.disk import DISK, PIECE, Disk
from mpiflow.files.temporary import temporary

_CURES = {
    errno.ENOSPC: "free space on this file system, or keep fewer states (output.keep)",
    errno.EDQUOT: "free some of your quota, or keep fewer states (output.keep)",
    errno.EROFS: "choose an output folder on a file system that is writable",
    errno.EACCES: "give yourself write permission there, or choose another output folder",
    errno.EPERM: "give yourself write permission there, or choose another output folder",
    errno.ENOENT: "put the folder back; it was removed while it was written to",
    errno.ENOTDIR: "choose another output folder: a part of this path is a file",
    errno.ELOOP: "remove the symbolic link: none is followed here",
    errno.EEXIST: "move it away",
    errno.EISDIR: "move the folder of that name away",
    errno.ENAMETOOLONG: "choose a shorter name",
}
_CURE = "check the file system, or choose another output folder; then start the same command again"


def put(
    path: Path,
    content: str | bytes | memoryview | Iterable[memoryview],
    files: Disk = DISK,
    check: Callable[[Path], None] | None = None,
) -> None:
    """Write a file: whole under its final name, or not at all. A link of that name is replaced, never followed.

    content: text is written as UTF-8 (what it cannot hold as an escape), pieces one after another. check: looks at the
    temporary before it gets its name; what it raises ends the write. Raises WriteError with the system's reason and the cure.
    """
    temp = temporary(path)
    try:
        _regular(path)
        _write_down(temp, _pieces(content), files)
        if check:
            check(temp)
        files.replace(temp, path)
        files.sync_folder(path.parent)
    except (OSError, WriteError) as error:
        with suppress(OSError):
            files.remove(temp)
        raise explained(path, error) from error


def append(path: Path, text: str, files: Disk = DISK) -> None:
    """Add text to the end of a regular file, new or not, through no link. Raises WriteError as `put` does."""
    try:
        descriptor = files.extend(path)
        try:
            files.write(descriptor, memoryview(_encoded(text)))
        finally:
            files.close(descriptor)
    except OSError as error:
        raise explained(path, error) from error


def explained(path: Path, error: OSError | WriteError) -> WriteError:
    """The one line that is told of a file that could not be written."""
    number = getattr(error, "errno", None)
    reason = f"{error.strerror} ({errno.errorcode.get(number, number)})" if number else str(error)
    return WriteError(f"{path} was not written: {reason}; {_CURES.get(number, _CURE)}")


def _regular(path: Path) -> None:
    """Raise OSError for a name that belongs to a folder, a device or a pipe: to replace one would be to destroy it."""
    with suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise OSError(errno.EEXIST, "there is something else of this name, no regular file", str(path))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _pieces(content: str | bytes | memoryview | Iterable[memoryview]) -> Iterable[memoryview]:
    if isinstance(content, str):
        content = _encoded(content)
    if isinstance(content, (bytes, memoryview)):
        content = [memoryview(content)]
    return (piece[start : start + PIECE] for piece in content for start in range(0, len(piece), PIECE))


def _write_down(temp: Path, pieces: Iterable[memoryview], files: Disk) -> None:
    descriptor = files.create(temp)
    try:
        for piece in pieces:
            files.write(descriptor, piece)
        files.sync(descriptor)
    finally:
        files.close(descriptor)
