"""Committing states: one at once, or one after another while the flow computes."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.errors import InputError, WriteError
from mpiflow.files.disk import DISK, Disk
from mpiflow.state import atomic, holder, naming, parts, retention
from mpiflow.state.schema import PART_BYTES


def write(
    folder: Path,
    step: int,
    arrays: dict[str, np.ndarray],
    attributes: dict[str, object],
    files: Disk = DISK,
    part_bytes: int = PART_BYTES,
) -> Path:
    """Commit one state; returns its path. Files that are already there are not touched.

    arrays: "group/name" -> array, by the layout of `schema.py`; attributes: text and numbers.
    Raises WriteError if it could not be committed, StateError or NumericalError if it must not be.
    """
    path = naming.state_path(folder, step)
    for name, content in parts.split(path, step, dict(arrays), attributes, part_bytes):
        atomic.put(name, content, files)
    return path


class Writer:
    """Commits states from rank 0 in a thread, so that the flow goes on meanwhile.

    The thread gets the finished bytes of the file: the flow may change its arrays as soon as `submit` returns, and neither MPI
    nor HDF5 is ever called from the thread. `last_seconds` is how long the last commit took, on rank 0 (0 before).
    """

    def __init__(
        self,
        comm: Comm,
        folder: Path,
        keep: int = 3,
        keep_every: int | None = None,
        say: Callable[[str], None] = lambda text: None,
        files: Disk = DISK,
        part_bytes: int = PART_BYTES,
    ):
        """Keeps the last `keep` states and those whose step divides by `keep_every`. Raises InputError.

        Leftovers of writers that died are told through `say`, and removed if this process holds the folder's lock.
        """
        if keep < 1 or (keep_every is not None and keep_every < 1):
            raise InputError(
                f"output.keep = {keep}, keep_every = {keep_every}: both must be at least 1; 3 is a good keep"
            )
        self.comm, self.folder, self.files, self.say = comm, Path(folder), files, say
        self.keep, self.keep_every, self.part_bytes = keep, keep_every, part_bytes
        self.last_seconds = 0.0
        self._submitted = False
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._lock: dict | None = None
        if comm.rank == 0:
            retention.sweep(self.folder, say, files)
            self._lock = holder.holder(self.folder) if holder.mine(self.folder) else None

    def submit(self, step: int, arrays: dict[str, np.ndarray] | None, attributes: dict[str, object]) -> None:
        """Begin to commit a state; collective. arrays count on rank 0 alone, and are emptied there as they are packed.

        Waits for the commit before it, and raises on every rank what that one met (see `settle`).
        """
        with self.comm.lead() as mine:
            if mine:
                self._wait()
                began = time.monotonic()
                _give_back()
                path = naming.state_path(self.folder, step)
                contents = parts.split(path, step, arrays, attributes, self.part_bytes)
                self._thread = threading.Thread(target=self._commit, args=(step, contents, began), name="state writer")
                self._thread.start()
        self._submitted = True

    def settle(self) -> None:
        """Wait until what was submitted is committed; collective. Raises WriteError on every rank if it was not."""
        if not self._submitted:
            return
        self._submitted = False
        with self.comm.lead() as mine:
            if mine:
                self._wait()

    def check_folder(self) -> None:
        """Raise WriteError where another run may be in the place of the folder, or in it. Counts on rank 0 alone."""
        if self._lock and holder.holder(self.folder) != self._lock:
            raise WriteError(
                f"{self.folder} is no longer the folder that this run has locked (it was moved or deleted, or its "
                f"{holder.LOCK} was): nothing more is written there; put it back and start the same command again"
            )

    def _commit(self, step: int, contents: parts.Files, began: float) -> None:
        try:
            self.check_folder()
            for path, content in contents:
                atomic.put(path, content, self.files)
            self.last_seconds = time.monotonic() - began
            self.check_folder()
            retention.prune(self.folder, step, self.keep, self.keep_every, self.say, self.files)
        except BaseException as error:  # kept for the main thread, whose failures end the job in order
            self._error = error

    def _wait(self) -> None:
        if self._thread:
            self._thread.join()
        error, self._thread, self._error = self._error, None, None
        if error:
            raise error


def _give_back() -> None:
    """Return what the flow has freed to the system: the C library keeps some 50 MB of it, and a state is large."""
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)
