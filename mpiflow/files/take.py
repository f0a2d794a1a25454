"""Small text files as they are found: bounded, regular, never waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

#: No text file of a run is longer: a run file, a status, a lock, a record.
LIMIT = 64 << 20


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading. Raises OSError for a pipe, a device or a folder, which could block or never end."""
    # Without O_NONBLOCK the opening of a pipe that nobody writes to would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def take(path: Path, limit: int = LIMIT) -> str:
    """The text of a regular file, UTF-8 with or without a byte order mark.

    Raises OSError as `opened` does, and for more than `limit` bytes; UnicodeDecodeError, a ValueError, for what is no text.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"{size:,} bytes are there, and {limit:,} at most make sense", str(path))
        return file.read(limit + 1).decode("utf-8-sig")
