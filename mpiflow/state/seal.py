"""The seal of a state file: a 512-byte HDF5 user block with the length and the SHA-256 of all that follows.

It covers HDF5's own metadata and every attribute, so a damaged file is told apart before HDF5 looks at it.
By hand: `head -c 512 FILE` shows the sum, `tail -c +513 FILE | sha256sum` computes it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from mpiflow.errors import StateError
from mpiflow.files.disk import DISK, Disk

SIZE = 512
_BLOCK = re.compile(rb"mpiflow sealed HDF5\nbytes (\d{1,18})\nsha256 ([0-9a-f]{64})\n\0*")


def _block(size: int, digest: str) -> bytes:
    return f"mpiflow sealed HDF5\nbytes {size}\nsha256 {digest}\n".encode().ljust(SIZE, b"\0")


def make(image: memoryview) -> bytes:
    """The user block for the rest of a file: 512 bytes."""
    return _block(len(image), hashlib.sha256(image).hexdigest())


def check(path: Path, files: Disk = DISK) -> str:
    """Read a whole file and hold it against its seal; returns the SHA-256 that the seal holds.

    Raises StateError if one bit, or the length, is not what was committed, or if the file cannot be read.
    """
    try:
        return hold(path, files.read(path))
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror or error}") from error


def promised(path: Path, head: bytes) -> int:
    """Bytes that follow the first `SIZE` ones of a file, as its seal says. Raises StateError for what is no seal."""
    match = _BLOCK.fullmatch(head)
    if not match or head != _block(int(match[1]), match[2].decode()):
        raise StateError(f"{path} is not a state of mpiflow, or its first {SIZE} bytes are damaged")
    return int(match[1])


def hold(path: Path, pieces: Iterator[bytes]) -> str:
    """Hold the bytes of a file against its seal, as `check` does."""
    head, size, digest = b"", 0, hashlib.sha256()
    for piece in pieces:
        missing = SIZE - len(head)
        head += piece[:missing]
        digest.update(memoryview(piece)[missing:])
        size += len(piece[missing:])
    wanted = promised(path, head)
    if size != wanted:
        raise StateError(f"{path} is torn: {size} of {wanted} bytes are there")
    if _block(size, digest.hexdigest()) != head:
        raise StateError(f"{path} is damaged: its bytes do not have the SHA-256 that they were committed with")
    return digest.hexdigest()
