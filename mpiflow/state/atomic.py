"""A file is whole or absent: temporary name, write, fsync, read back, rename, fsync of the folder."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

from mpiflow.errors import StateError, WriteError
from mpiflow.state import naming, seal
from mpiflow.state.files import DISK, PIECE, Disk

_CURES = {
    errno.ENOSPC: "free space on this file system, or keep fewer states (output.keep)",
    errno.EDQUOT: "free some of your quota, or keep fewer states (output.keep)",
    errno.EROFS: "choose an output folder on a file system that is writable",
    errno.EACCES: "give yourself write permission there, or choose another output folder",
    errno.EPERM: "give yourself write permission there, or choose another output folder",
    errno.ENOENT: "put the run folder back; it was removed while the run was in it",
}
_CURE = "check the file system, or choose another output folder; then resume with the same command"


def put(path: Path, content: memoryview, files: Disk = DISK) -> None:
    """Commit one sealed file under its final name. Raises WriteError with the system's reason and the cure."""
    temp, block = naming.temporary(path), seal.make(content)
    try:
        _write_down(temp, block, content, files)
        _read_back(temp, block, files)
        files.replace(temp, path)
        files.sync_folder(path.parent)
    except (OSError, WriteError) as error:
        with suppress(OSError):
            files.remove(temp)
        raise _explained(path, error) from error


def _write_down(temp: Path, block: bytes, content: memoryview, files: Disk) -> None:
    descriptor = files.create(temp)
    try:
        files.write(descriptor, memoryview(block))
        for start in range(0, len(content), PIECE):
            files.write(descriptor, content[start : start + PIECE])
        files.sync(descriptor)
    finally:
        files.close(descriptor)


def _read_back(temp: Path, block: bytes, files: Disk) -> None:
    try:
        found = seal.check(temp, files)
    except StateError as error:
        raise WriteError(f"read back, {error}") from error
    if found.encode() not in block:
        raise WriteError(f"read back, {temp} is another file than the one that was written")


def _explained(path: Path, error: OSError | WriteError) -> WriteError:
    number = getattr(error, "errno", None)
    reason = f"{error.strerror} ({errno.errorcode.get(number, number)})" if number else str(error)
    return WriteError(
        f"{path} was not committed: {reason}; {_CURES.get(number, _CURE)}. The states before it are intact"
    )
