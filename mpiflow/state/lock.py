"""One run folder, one writer: a lock that names its holder and outlives nobody."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from mpiflow.errors import StateError, WriteError
from mpiflow.files.disk import DISK
from mpiflow.state.holder import LOCK, gone, holder, mine, this_process


class RunLock:
    """`with RunLock(folder): ...` on the writer rank. Raises StateError that names the holder if there is one,
    WriteError where the disk has no room for a name.

    The kernel's lock (flock) decides among the processes of one machine and ends with its process. The text in
    the file decides among machines, where flock may not reach. A lock whose holder is gone is taken over.
    """

    def __init__(self, folder: Path, patience: float = 3.0):
        """patience: seconds to wait for a holder to go; killed ranks need a moment to die."""
        self.path = Path(folder) / LOCK
        self.patience = patience
        self._descriptor = -1

    def __enter__(self) -> RunLock:
        until = time.monotonic() + self.patience
        while not self._take():
            if time.monotonic() > until:
                raise StateError(self._refusal())
            time.sleep(0.1)
        return self

    def __exit__(self, *error: object) -> None:
        # Emptied, not deleted: another process may have the file open and be about to lock it.
        with suppress(OSError):
            DISK.rewrite(self._descriptor, b"")
        os.close(self._descriptor)

    def _take(self) -> bool:
        descriptor = self._open()
        flocked = _flock(descriptor)
        if flocked is False or not gone(holder(self.path.parent), flocked):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        try:
            self._sign()
        except OSError as error:
            os.close(descriptor)
            reason = f"{error.strerror} ({errno.errorcode.get(error.errno, error.errno)})"
            raise WriteError(f"{self.path} cannot be written: {reason}; free some space there") from error
        return flocked or self._still_mine()

    def _open(self) -> int:
        try:
            return DISK.hold(self.path)
        except OSError as error:
            cure = "remove it" if self.path.is_symlink() else "give yourself write permission there"
            raise StateError(
                f"{self.path} cannot be opened: {error.strerror}; {cure}, or choose another output folder"
            ) from error

    def _sign(self) -> None:
        text = json.dumps(this_process() | {"start": time.strftime("%Y-%m-%d %H:%M:%S %z")})
        DISK.rewrite(self._descriptor, text.encode())

    def _still_mine(self) -> bool:
        # Without flock two may sign at once: the last to sign has it, once both have had time to.
        time.sleep(1.0)
        return mine(self.path.parent)

    def _refusal(self) -> str:
        other = {"pid": "?", "host": "?", "start": "?", "job": ""} | (holder(self.path.parent) or {})
        job = f", Slurm job {other['job']}" if other["job"] else ""
        return (
            f"{self.path.parent} is in use by process {other['pid']} on {other['host']}{job}, since {other['start']}: "
            f"wait for it, stop it, or choose another output folder (if it is certainly dead, delete {self.path})"
        )


def _flock(descriptor: int) -> bool | None:
    """True: locked; False: another process of this machine has it; None: this file system has no flock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
