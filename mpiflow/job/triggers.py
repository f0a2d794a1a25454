"""When to save and when to stop: deadline, signal, stop file, and the clock, in one collective decision a step."""

from __future__ import annotations

import atexit
import os
import signal
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.files.claims import near
from mpiflow.ranks import hearing

if TYPE_CHECKING:
    from mpiflow.comm import Comm

#: The deadline is met early by this many times (the save time + the longest of the last ten steps).
MARGIN = 2.0

#: Slurm sends TERM and later KILL; USR1 and USR2 are its early warnings; HUP is a lost terminal, INT a Ctrl-C.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGHUP)

_born = time.monotonic()


class Decision(NamedTuple):
    """What follows a step: whether a state is saved, and the reason to stop after it ("" to go on)."""

    save: bool
    stop: str


def install() -> None:
    """Catch the signals that ask for a stop, before anything slow is imported. A second signal changes nothing here.

    (MPICH's mpiexec takes a second Ctrl-C as the wish to kill the job; a commit survives that too.)
    """
    for number in SIGNALS:
        # nohup and some batch systems have a signal ignored on purpose.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, hearing.note)
    # As it ends, Python gives signals back to the system, and the next one would spoil the exit code.
    atexit.register(_ignore)


def _ignore() -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is hearing.note:
            signal.signal(number, signal.SIG_IGN)


def caught() -> tuple[int, ...]:
    """The signals that `install` has caught."""
    return tuple(number for number in SIGNALS if signal.getsignal(number) is hearing.note)


class Triggers:
    """Every wish to save or to stop, agreed on by all ranks at step boundaries.

    max_time: seconds since the process began, or None; the end of the Slurm job counts too, whichever is first.
    every_steps, every_seconds: save after every k-th step, after so many seconds; None for neither.
    """

    def __init__(
        self,
        comm: Comm,
        folder: Path,
        max_time: float | None = None,
        every_steps: int | None = None,
        every_seconds: float | None = None,
    ):
        for name, value in (("max_time", max_time), ("every_steps", every_steps), ("every_seconds", every_seconds)):
            if value is not None and not value > 0:
                raise InputError(f"{name} = {value}: it must be positive; leave it out for no limit")
        self.comm = comm
        self.stop_file = Path(folder) / "STOP"
        self.every_steps, self.every_seconds = every_steps, every_seconds
        self.deadline = _deadline(max_time)
        self._saved = self._boundary = time.monotonic()
        self._steps: deque[float] = deque(maxlen=10)
        self._known: float | None = None

    def expect(self, seconds: float | None) -> None:
        """Steps begin now, each of about so many seconds; None where that is not known.

        Without this the time until the first decision counts as a step. Of a start that goes on with a run it does not:
        however long it took, a step has to be tried.
        """
        self._known = seconds
        # As if the step before the first decision had taken as long.
        self._boundary = time.monotonic() - (seconds or 0.0)

    def standstill(self, save_seconds: float) -> str:
        """What to say, and what to do, where the clock stopped a start before its first step; "" where something else did."""
        if self.deadline is None or time.monotonic() + MARGIN * self._least(save_seconds) < self.deadline:
            return ""
        taken = time.monotonic() - _born
        step = "how long a step takes is not known yet" if self._known is None else f"a step takes {self._known:.3g} s"
        least = taken + MARGIN * self._least(save_seconds)
        return (
            f": there is no progress in so little time. Starting took {taken:.0f} s and {step}: give it more, --max-time "
            f"{2 * least + 1:.0f} or a longer job"
        )

    def _least(self, save_seconds: float) -> float:
        return save_seconds + max(self._steps, default=0.0)

    def decide(self, step: int, save_seconds: float) -> Decision:
        """The decision after a step, the same on every rank; collective.

        save_seconds: how long the last save took on rank 0 (`Writer.last_seconds`). The clock and the stop file
        are those of rank 0; a signal counts on whichever rank it arrives.
        """
        stop = hearing.received[0] if hearing.received else ""
        save = False
        if self.comm.rank == 0:
            now = time.monotonic()
            self._steps.append(now - self._boundary)
            stop = stop or self._asked(step) or self._out_of_time(now, save_seconds)
            save = self._due(step, now)
        heard = self.comm.allgather((save, stop))
        save, stop = heard[0][0], next((reason for _, reason in heard if reason), "")
        self._boundary = time.monotonic()
        if save or stop:
            self._saved = self._boundary
        return Decision(save or bool(stop), stop)

    def _due(self, step: int, now: float) -> bool:
        if self.every_steps and step % self.every_steps == 0:
            return True
        return self.every_seconds is not None and now - self._saved >= self.every_seconds

    def _out_of_time(self, now: float, save_seconds: float) -> str:
        if self.deadline is None or now + MARGIN * self._least(save_seconds) < self.deadline:
            return ""
        return f"the time limit: {max(self.deadline - now, 0.0):.0f} s are left, a save takes {save_seconds:.1f} s"

    def _asked(self, step: int) -> str:
        """A STOP file stops the run at the next step, or at the one whose number is in it where that is still to come.

        It is used up by that.
        """
        try:
            text = take(self.stop_file).strip()
        except UnicodeDecodeError:
            text = ""
        except OSError:
            return ""
        if text.isdecimal() and len(text) < 20 and int(text) > step:
            return ""
        with suppress(OSError):
            self.stop_file.unlink()
        return f"the file {near(self.stop_file)}"


def _deadline(max_time: float | None) -> float | None:
    """The end of this job on the monotonic clock, or None without any."""
    ends = [] if max_time is None else [_born + max_time]
    slurm = os.environ.get("SLURM_JOB_END_TIME", "")
    if slurm.isdecimal():
        ends.append(time.monotonic() + int(slurm) - time.time())
    return min(ends, default=None)
