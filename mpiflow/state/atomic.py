"""A state is whole or absent: sealed, written, read back from the disk, and only then given its name."""

from __future__ import annotations

from pathlib import Path

from mpiflow.errors import StateError, WriteError
from mpiflow.files import put as write
from mpiflow.files.disk import DISK, Disk
from mpiflow.state import seal


def put(path: Path, content: memoryview, files: Disk = DISK) -> None:
    """Commit one sealed file under its final name. Raises WriteError with the system's reason and the cure."""
    block = seal.make(content)
    try:
        write(path, [memoryview(block), content], files, lambda temp: _read_back(temp, block, files))
    except WriteError as error:
        raise WriteError(f"{error}. The states before it are intact") from error


def _read_back(temp: Path, block: bytes, files: Disk) -> None:
    try:
        found = seal.check(temp, files)
    except StateError as error:
        raise WriteError(f"read back, {error}") from error
    if found.encode() not in block:
        raise WriteError(f"read back, {temp} is another file than the one that was written")
