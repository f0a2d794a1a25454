"""Signals in the stages that have no steps: there a wish to stop ends the run at once, for there is nothing to save."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mpiflow.errors import RESUBMIT, Stopped

if TYPE_CHECKING:
    from mpiflow.comm import Comm

#: Seconds for which a rank may be in the middle of C code, or wait for another one, after a signal.
PATIENCE = 4.0
#: What the signal handler notes, first come first.
received: list[str] = []
#: What is said of a stop in the present stage; nothing in it where a step will hear of it.
_words: list[str] = []


def note(number: int, frame: object = None) -> None:
    """The signal handler: a note for the next step, or, in a stage without steps, the end of it. Raises Stopped there.

    The second signal changes nothing: the first one is on its way through the frames.
    """
    received.append(signal.Signals(number).name)
    _leave()


def _leave() -> None:
    if received and _words:
        raise Stopped(f"stopped by {received[0]} {_words.pop()}")


@contextmanager
def at_once(comm: Comm, words: str, numbers: tuple[int, ...], leaving: Callable[[str], None]):
    """A stage in which nothing is written: one of these signals ends it on this rank, wherever it is.

    words: what is said then, after "stopped by SIGTERM". leaving: called with all of it where the rank does not come back
    from C code within PATIENCE seconds, so that its process is ended. Raises Stopped.
    """
    watch = _Watch(comm, words, numbers, leaving)
    _words[:] = [words]
    try:
        _leave()
        yield
    finally:
        _words.clear()
        watch.close()


class _Watch:
    """A thread that the system wakes at a signal, even while the main one is in C code for minutes."""

    def __init__(self, comm: Comm, words: str, numbers: tuple[int, ...], leaving: Callable[[str], None]):
        self.comm, self.words, self.numbers, self.leaving = comm, words, numbers, leaving
        self.over = threading.Event()
        # Only the main thread hears signals, and only signals that are caught wake anybody.
        self.alone = threading.current_thread() is not threading.main_thread() or not numbers
        if self.alone:
            return
        self.inner, self.outer = socket.socketpair()
        self.outer.setblocking(False)
        self.before = signal.set_wakeup_fd(self.outer.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """The stage is over."""
        if self.alone:
            return
        self.over.set()
        signal.set_wakeup_fd(self.before)
        self.outer.close()

    def _listen(self) -> None:
        while heard := self.inner.recv(1):
            # Rank 0 speaks for all where all were told.
            if heard[0] in self.numbers and not self.over.wait(PATIENCE + (self.comm.rank > 0)):
                self._end(f"stopped by {signal.Signals(heard[0]).name} {self.words}")
        self.inner.close()

    def _end(self, told: str) -> None:
        self.leaving(told)
        if self.comm.size > 1:
            self.comm.abort(RESUBMIT)
        os._exit(RESUBMIT)
