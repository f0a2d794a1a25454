"""Runs of the real program: started, watched, hurt from outside, and compared with a run that nobody hurt."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from mpiflow.state import load, naming

HERE = Path(__file__).parent
MPIEXEC = Path(sys.executable).parent / "mpiexec"
#: Every row with its full count; `scripts/fault-campaign` asks for it.
FULL = os.environ.get("MPIFLOW_FAULTS") == "full"
STEPS = 50 if FULL else 30

JOB = f"""
[run]
seed = 5
[points]
train = 96
test = 64
[clusters]
count = 2
batch = 48
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = {STEPS}
dt = 0.03
normalisation = "row"
coupling = "all"
[output]
every_steps = 1
"""


def write_job(folder: Path) -> Path:
    """The run file of all these runs."""
    path = folder / "job.toml"
    path.write_text(JOB)
    return path


class Run:
    """One start of the program on some ranks; the job may be hurt while it runs."""

    def __init__(self, job: Path, folder: Path, *options: str, ranks: int = 2, fault: str = ""):
        """fault: a planned fault, see `program.py`."""
        self.folder, self.spawned = folder, []
        command = [MPIEXEC, "-n", str(ranks), sys.executable, HERE / "program.py"]
        # Beside the run file: the disk of the run may be full, and mpiexec fails where it cannot print.
        self.output = job.with_name(f"{folder.name}.{time.monotonic_ns()}.txt")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*map(str, command), "run", str(job), "-o", str(folder), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"MPIFLOW_PLANNED_FAULT": fault, "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )

    def ranks(self) -> list[int]:
        """Process ids of the ranks, in rank order."""
        found = {}
        for pid in _descendants(self.process.pid):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                found |= {int(word[9:]): pid for word in words if word.startswith(b"PMI_RANK=")}
        self.spawned = [found[rank] for rank in sorted(found)] or self.spawned
        return self.spawned

    def wait(self, seconds: float = 120.0) -> int:
        """The exit code. Raises TimeoutExpired, with everything killed, where the job hangs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill("all")
            raise

    def kill(self, victim: str) -> None:
        """SIGKILL to "rank 0", "rank 1", the "launcher", or "all" of them at once."""
        ranks = self.ranks()
        pids = {"launcher": [self.process.pid], "all": [self.process.pid, *_descendants(self.process.pid)]}
        pids |= {f"rank {rank}": [pid] for rank, pid in enumerate(ranks)}
        for pid in pids.get(victim, pids["all"]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def until(self, met, seconds: float = 120.0) -> bool:
        """Watch closely until met() is true (returns True) or the job has ended (returns False)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if met():
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.0005)
        self.kill("all")
        raise AssertionError(f"nothing happened in {seconds} s:\n{self.text()}")

    def saving(self) -> bool:
        """Whether a state is being written now."""
        return bool(naming.temporaries(self.folder))

    def has_handlers(self) -> bool:
        """Whether both ranks catch SIGTERM by now: a signal before that counts as a kill."""
        return len(self.ranks()) == 2 and all(_catches(pid, signal.SIGTERM) for pid in self.ranks())

    def later(self, seconds: float):
        """A moment for `until`: so many seconds from now."""
        end = time.monotonic() + seconds
        return lambda: time.monotonic() > end

    def text(self) -> str:
        """What the job printed."""
        return self.output.read_text()


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found[1:]


def _catches(pid: int, number: int) -> bool:
    with suppress(OSError):
        caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
        return bool(int(caught[1], 16) >> (number - 1) & 1)
    return False


def segments(pid: int) -> set[Path]:
    """The shared-memory segments of MPICH that a process maps."""
    return {Path(path) for path in re.findall(r"/dev/shm/mpich_shm_\w+", Path(f"/proc/{pid}/maps").read_text())}


def gone(pids: list[int], seconds: float = 10.0) -> bool:
    """Whether all these processes end within some seconds."""
    end = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def step(folder: Path) -> int:
    """The newest step that a folder has a sound state of; -1 without."""
    state = load.latest(folder, lambda text: None)
    return state.step if state else -1


def newest(folder: Path) -> int:
    """The newest step that a folder has a state of, sound or not; -1 without."""
    return max((number for number, _ in naming.states(folder)), default=-1)


def reached(folder: Path) -> int:
    """The last step that the log of a folder speaks of: what the run had computed; -1 without."""
    log = folder / "log" / "rank-0000.log"
    steps = re.findall(r"step (\d+)/", log.read_text()) if log.exists() else []
    return int(steps[-1]) if steps else -1


def numbers(folder: Path) -> dict[str, bytes]:
    """The bits of everything in the newest state, except how long things took."""
    arrays = load.latest(folder, lambda text: None).arrays
    kept = {name: array for name, array in arrays.items() if not name.startswith("timing/")}
    return {name: repr((array.shape, array.dtype)).encode() + array.tobytes() for name, array in kept.items()}


def finish(job: Path, folder: Path, ranks: int = 2) -> None:
    """Resume a run until it is done."""
    run = Run(job, folder, ranks=ranks)
    assert run.wait() == 0, run.text()
    assert step(folder) == STEPS


def chance(seed: int) -> np.random.Generator:
    """Random times and victims, the same in every campaign (when they strike is the machine's choice)."""
    return np.random.default_rng(seed)
