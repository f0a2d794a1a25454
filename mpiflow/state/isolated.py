"""The other side of `index.py`: a process that looks into HDF5 files, so that no file can harm the one that asks."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

from mpiflow.errors import StateError

#: Seconds that an answer may take by the clock; the process itself counts its processor time.
PATIENCE = 120.0
#: Longest answer that is read: the texts of a file, escaped, and its table.
_LONGEST = 128 << 20
#: Ends that say nothing of the file: nobody asked for a while, or all processes of a job got a signal.
_NOT_THE_FILE = {0, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGUSR1, -signal.SIGUSR2}


class UnreadableError(StateError):
    """HDF5 could not read a file: the text says why, without the file's name."""


def start() -> None:
    """Start the process, unless it runs: it takes a fifth of a second, while the caller may do something else."""
    with _TURN:
        _SHARED.start()


def index(descriptor: int, damaged: bool = False) -> dict:
    """What lies where in an open file: "attributes", "datasets" (shape, dtype, sha256, offset or sources), "scales".

    damaged: pass over what cannot be read, and name it under "broken"; no attributes then. "refused", where there, says
    why the index is not whole. Raises UnreadableError where HDF5 fails, and where it takes too long.
    """
    with _TURN:
        return _SHARED.index(descriptor, damaged)


class Indexer:
    """The process, which starts when it is needed, serves file after file, and ends when nobody asks for a while."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._owner = 0

    def start(self) -> None:
        """Start the process, unless it runs. Raises UnreadableError where that is not possible."""
        if self._process and self._owner == os.getpid() and self._process.poll() is None:
            return
        self.end(patience=0)
        ours, theirs = socket.socketpair()
        with theirs:
            quiet = {"stdin": theirs, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            try:
                self._process = subprocess.Popen(_command(), **quiet, env=_environment(), cwd="/")
            except OSError as error:
                ours.close()
                raise UnreadableError(f"{sys.executable} cannot be started: {error.strerror}") from None
        self._connection, self._owner, self._greeted = ours, os.getpid(), False

    def index(self, descriptor: int, damaged: bool) -> dict:
        """As the function `index`."""
        for _ in range(3):
            self.start()
            try:
                return self._asked(descriptor, b"d" if damaged else b"s")
            except (OSError, EOFError, ValueError) as error:
                ended = self.end()
                if ended not in _NOT_THE_FILE:
                    raise UnreadableError(_reason(error, ended)) from None
        raise UnreadableError("HDF5 cannot read it: its reader was stopped by a signal three times; try again")

    def end(self, patience: float = 0.2) -> int | None:
        """End the process; returns how it ended by itself within so many seconds, None if it did not."""
        process, self._process = self._process, None
        if process is None:
            return None
        self._connection.close()
        if self._owner != os.getpid():  # a fork: the process is its parent's
            process.returncode = 0
            return None
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        ended = process.poll()
        process.kill()
        process.wait()
        return ended

    def _asked(self, descriptor: int, question: bytes) -> dict:
        until = time.monotonic() + PATIENCE
        if not self._greeted:
            self._receive(until)
            self._greeted = True
        socket.send_fds(self._connection, [question], [descriptor])
        found = json.loads(self._receive(until))
        if not isinstance(found, dict):
            raise ValueError
        return found

    def _receive(self, until: float) -> bytes:
        (length,) = struct.unpack("<Q", self._exactly(8, until))
        if length > _LONGEST:
            raise ValueError
        return self._exactly(length, until)

    def _exactly(self, length: int, until: float) -> bytes:
        found = bytearray()
        while len(found) < length:
            self._connection.settimeout(max(until - time.monotonic(), 0.001))
            piece = self._connection.recv(min(length - len(found), 1 << 20))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)


_SHARED, _TURN = Indexer(), threading.RLock()
atexit.register(_SHARED.end, 0)


def _command() -> list[str]:
    """Python without the current folder, PYTHON variables and site packages, but with our own h5py and numpy."""
    folders = dict.fromkeys(str(Path(module.__file__).resolve().parents[1]) for module in (h5py, np))
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("index.py").resolve()), *folders]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HDF5_", "PMI", "PYTHON"))}
    # "::" forbids HDF5 to load filters from elsewhere.
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}


def _reason(error: Exception, ended: int | None) -> str:
    if isinstance(error, TimeoutError):
        return f"HDF5 cannot read it: no answer within {PATIENCE:g} s"
    if ended == -signal.SIGPROF:
        return "HDF5 cannot read it: it takes too long"
    how = f"signal {-ended}" if ended is not None and ended < 0 else f"exit code {ended}"
    return f"HDF5 cannot read it: its reader ended with {how}"
