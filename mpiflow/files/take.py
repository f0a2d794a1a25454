"""Small text files as they are found: bounded, regular, never waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

#: No text file of a run is longer: a run file, a status, a lock, a record.
LIMIT = 64 << 20


def take(path: Path, limit: int = LIMIT) -> str:
    """The text of a regular file, UTF-8 with or without a byte order mark.

    Raises OSError for a pipe, a device or a folder, which could block or never end, and for more than `limit` bytes;
    UnicodeDecodeError, a ValueError, for what is no text.
    """
    # Without O_NONBLOCK the opening of a pipe that nobody writes to would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if found.st_size > limit:
            raise OSError(
                errno.EFBIG, f"{found.st_size:,} bytes are there, and {limit:,} at most make sense", str(path)
            )
        return file.read(limit + 1).decode("utf-8-sig")
