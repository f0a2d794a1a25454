"""Standard output and standard error that take any character and may be gone: what only shows something never ends a run."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress


class Stream:
    """One of the two streams, as a file for rich. lost: why it takes nothing more, "" as long as it does."""

    def __init__(self, name: str, descriptor: int):
        self.name, self.descriptor, self.lost, self.number = name, descriptor, "", 0

    @property
    def encoding(self) -> str:
        """What the terminal or the file behind it understands."""
        return getattr(self._file, "encoding", None) or "utf-8"

    @property
    def _file(self):
        """What is behind it: the process's own stream, or what a test or a notebook put in its place."""
        found = getattr(sys, self.name)
        return getattr(sys, f"__{self.name}__") if found is self else found

    def __getattr__(self, name: str):
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write text, with an escape for what the encoding does not have; nothing once the stream is lost."""
        shown = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        self._try(lambda file: file.write(shown))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._try(lambda file: file.flush())

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        with suppress(OSError, ValueError, AttributeError):
            return self._file.isatty()
        return False

    def fileno(self) -> int:
        """Of the system."""
        return self.descriptor

    def _try(self, act) -> None:
        if self.lost:
            return
        try:
            if self._file is not None:
                act(self._file)
        except (OSError, ValueError) as error:
            self.lost, self.number = getattr(error, "strerror", None) or str(error), getattr(error, "errno", 0) or 0
            # Python flushes once more as it ends, and would spoil the exit code.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), self.descriptor)

    @property
    def unread(self) -> bool:
        """Whether nobody wants to read any more, as behind `| head`: no fault of anybody's."""
        return self.number == errno.EPIPE


OUT, ERR = Stream("stdout", 1), Stream("stderr", 2)


def install() -> None:
    """Have everything that this process prints, libraries and tracebacks too, go through OUT and ERR.

    Descriptors 0, 1 and 2 are taken where they are closed: a file of ours that got one would receive what libraries print.
    """
    sys.stdout, sys.stderr = OUT, ERR
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free one, which is this.
            os.open(os.devnull, os.O_RDWR)
