"""The ranks of one run, started and watched by a process outside of MPI, which knows when to go on and when to give up."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from mpiflow.batch import scheduler
from mpiflow.batch.order import Order
from mpiflow.errors import RESUBMIT, InputError
from mpiflow.files import append, take
from mpiflow.screen import tell
from mpiflow.state import status

#: Restarts that may come no step further before the job is given up.
PATIENCE = 3
#: The steps at which a run stopped since it was submitted, one a line, in its folder.
STOPS = "stops"
#: Tenths of a second after which a wish to stop is told again.
_AGAIN = 20


class Supervisor:
    """Starts the ranks of an order under a launcher, and tells what becomes of them.

    launcher: the words before the command, e.g. ["mpiexec", "-n", "4"] or ["srun", "--mpi=pmi2"]; [] for none. first: this
    is no restart, so that earlier stops do not count.
    """

    def __init__(self, launcher: list[str], order: Order, first: bool):
        self.command = [*launcher, beside("mpiflow"), *order.words()]
        self.folder = order.folder
        if first:
            with suppress(OSError):
                (self.folder / STOPS).unlink()
        self._before = status.read(self.folder)
        self._planned_end = ""
        self._ranks: subprocess.Popen | None = None
        self._code: int | None = None
        self._asked = False

    def start(self) -> None:
        """Start the ranks, with the end of the job's time in their environment."""
        env = dict(os.environ)
        self._planned_end = env.get("SLURM_JOB_END_TIME") or scheduler.end_time(scheduler.facts())
        if self._planned_end:
            env["SLURM_JOB_END_TIME"] = self._planned_end
        try:
            self._ranks = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, env=env)
        except OSError as error:
            raise InputError(
                f"{self.command[0]}: {error.strerror}; set MPIFLOW_LAUNCHER in slurm/site.env to the launcher of "
                "this site, or take pip's: pip install 'mpiflow[mpi]'"
            ) from None
        threading.Thread(target=self._reap, daemon=True).start()

    def ask_to_stop(self, *_) -> None:
        """Have the ranks save and stop at their next step; usable as a signal handler, also before they are started."""
        self._asked = True
        if self._ranks and self._code is None:
            # MPICH's mpiexec dies of USR2 and HUP without a warning to the ranks; it passes USR1 on.
            with suppress(ProcessLookupError):
                os.kill(self._ranks.pid, signal.SIGUSR1)

    def wait(self) -> int:
        """Wait for the ranks; the exit code of the run as rank 0 wrote it down, else that of the launcher.

        What ends without a word once it is asked to stop was stopped, but for bad input. May be called again, also from a
        signal handler that interrupts it: it takes no lock.
        """
        for tick in count(1):
            if self._code is not None:
                break
            time.sleep(0.1)
            if self._asked and not tick % _AGAIN:
                # A launcher that is starting ranks passes nothing on.
                self.ask_to_stop()
        after = status.read(self.folder)
        if after and after != self._before and after["exit_code"] is not None:
            return after["exit_code"]
        if self._asked and self._code not in (0, InputError.exit_code):
            return RESUBMIT
        return self._code if self._code >= 0 else 128 - self._code

    def _reap(self) -> None:
        self._code = self._ranks.wait()

    def may_go_on(self, code: int) -> bool:
        """Whether a run that ended with this code should be started again; told on standard error where it should not."""
        if code != RESUBMIT:
            return False
        if scheduler.withdrawn(scheduler.facts(), self._planned_end):
            tell(
                f"mpiflow: the job was ended by its user or by Slurm: not requeued from here; {self.folder} can be resumed"
            )
            return False
        step = (status.read(self.folder) or {}).get("step", 0)
        if not progress(self.folder, step):
            tell(
                f"mpiflow: {PATIENCE} restarts came no further than step {step}: given up; longer jobs, or a look at the log"
            )
            return False
        return True


def progress(folder: Path, step: int) -> bool:
    """Note that the run stopped at a step; False if the last PATIENCE restarts all ended at this one."""
    append(folder / STOPS, f"{step}\n")
    return take(folder / STOPS).split()[-PATIENCE - 1 :] != [str(step)] * (PATIENCE + 1)


def beside(name: str) -> str:
    """A program of the environment that this python belongs to; where it has none, that of the PATH."""
    own = Path(sys.executable).parent / name
    return str(own) if own.exists() else shutil.which(name) or str(own)


def launcher() -> list[str]:
    """The site's launcher, MPIFLOW_LAUNCHER split into words, or the mpiexec of this python, or of the PATH."""
    return shlex.split(os.environ.get("MPIFLOW_LAUNCHER", "")) or [beside("mpiexec")]


def batch(order: Order) -> int:
    """The body of a batch job: start the ranks, and put the job back into the queue if they stopped to go on later."""
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    order = (order.task(task) if task else order).resolved()
    supervisor = Supervisor(launcher(), order, scheduler.restarts() == 0)
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, supervisor.ask_to_stop)
    supervisor.start()
    code = supervisor.wait()
    if scheduler.job() and supervisor.may_go_on(code):
        scheduler.requeue()
    return code
