"""Runs and studies through submitit: on Slurm, as local processes, or in this one; its hook stays outside of the ranks."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mpiflow import config
from mpiflow.batch import scheduler, supervise
from mpiflow.batch.order import Order
from mpiflow.batch.supervise import Supervisor
from mpiflow.errors import RESUBMIT, FlowError, InputError
from mpiflow.state import naming, status

EXECUTORS = ("slurm", "local", "debug")
#: Seconds before the end of its time at which a run is asked to save and stop.
WARNING = 120
#: What sets up the environment of a job, where it is there, as for slurm/flow.sbatch: in this folder, or in mpiflow's.
SITES = (Path("slurm") / "site.env", Path(__file__).parents[1] / "slurm" / "site.env")


@dataclass(frozen=True)
class Resources:
    """What a run asks for; tasks, cores and GPUs are those of a node, minutes those of one job before it is requeued."""

    executor: str = "slurm"
    nodes: int = 1
    tasks: int = 1
    gpus: int = 0
    minutes: int = 60
    partition: str | None = None
    account: str | None = None


class Launch:
    """What submitit pickles and calls: the ranks of one order, with a supervisor that asks them to stop in time."""

    def __init__(self, launcher: list[str] | None, order: Order, restarted: bool = False):
        self.launcher, self.order, self.restarted = launcher, order, restarted
        self._supervisor: Supervisor | None = None

    def __call__(self) -> str:
        """Run to the end; returns the closing message. Raises FlowError with that of a run that failed."""
        words = (self.launcher or supervise.launcher()) if self.order.launched else []
        self._supervisor = Supervisor(words, self.order, not self.restarted)
        self._supervisor.start()
        code = self._supervisor.wait()
        if code == RESUBMIT:
            # Stopped by its own deadline, or by a signal that reached the ranks alone: the same way as by submitit's.
            from submitit import JobEnvironment

            signal.raise_signal(JobEnvironment()._usr_sig())
        message = (status.read(self.order.folder) or {}).get("message", "")
        if code:
            raise FlowError(f"{self.order.folder}: exit code {code}: {message or 'see the log'}")
        return message

    def checkpoint(self):
        """submitit's hook, before it requeues: the ranks save and stop; None where that should not be tried again."""
        from submitit.helpers import DelayedSubmission

        self._supervisor.ask_to_stop()
        if not self._supervisor.may_go_on(self._supervisor.wait()):
            return None
        return DelayedSubmission(Launch(self.launcher, self.order, restarted=True))

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_supervisor": None}


def submit(orders: list[Order], wanted: Resources) -> list:
    """Submit orders, more than one as a job array; returns submitit's jobs. Raises InputError before anything is submitted."""
    orders = [order.resolved() for order in orders]
    for order in orders:
        if not str(order.output).isprintable():
            raise InputError(
                f"-o {str(order.output)!r}: a line break cannot be in a batch script; choose another folder"
            )
    executor = _executor(orders[0], wanted)
    # Under Slurm the launcher of the site is known on the compute node alone.
    ranks = [supervise.beside("mpiexec"), "-n", str(wanted.tasks)]
    launches = [Launch(None if wanted.executor == "slurm" else ranks, order) for order in orders]
    if len(launches) == 1:
        return [executor.submit(launches[0])]
    with executor.batch():
        return [executor.submit(launch) for launch in launches]


def _executor(order: Order, wanted: Resources):
    try:
        from submitit import AutoExecutor
    except ImportError:
        raise InputError("mpiflow submit needs submitit: pip install 'mpiflow[slurm]'") from None
    if wanted.executor not in EXECUTORS:
        raise InputError(f"--executor {wanted.executor}: one of {', '.join(EXECUTORS)}")
    try:
        # Its own count of time-outs is for jobs that lose their work; here a run is given up when it comes no further.
        count = {f"{wanted.executor}_max_num_timeout": 10**6} if wanted.executor != "debug" else {}
        executor = AutoExecutor(order.output / "submitit", cluster=wanted.executor, **count)
    except RuntimeError as error:
        raise InputError(f"--executor {wanted.executor}: {error}; without Slurm, use --executor local") from None
    executor.update_parameters(
        name=config.read(order.config, list(order.overrides)).run.folder, timeout_min=wanted.minutes
    )
    if wanted.executor == "slurm":
        executor.update_parameters(**_slurm(wanted))
    return executor


def _slurm(wanted: Resources) -> dict[str, object]:
    """One process of ours a job, in the batch script itself, which starts the ranks on all nodes."""
    # submitit would send USR2, of which MPICH's mpiexec dies; without "B:" the signal goes to the ranks.
    extra: dict[str, object] = {
        "ntasks-per-node": wanted.tasks,
        "signal": f"USR1@{min(WARNING, 30 * wanted.minutes)}",
        "requeue": True,
    }
    extra |= {"gpus-per-node": wanted.gpus} if wanted.gpus else {}
    extra |= {name: value for name in ("partition", "account") if (value := getattr(wanted, name))}
    return {
        "nodes": wanted.nodes,
        "slurm_use_srun": False,
        "slurm_setup": [f"source {shlex.quote(str(site.absolute()))}" for site in SITES if site.exists()][:1],
        "slurm_additional_parameters": extra,
    }


def watch(jobs: list, folders: list[Path], tell: Callable[[str], None], every: float = 1.0) -> int:
    """Tell each change of the jobs' states and steps until all are over; returns the first exit code that is not 0."""
    told: dict[str, str] = {}
    going = True
    while going:
        states = [_state(job) for job in jobs]
        going = not all(scheduler.over(state) for state in states)
        for job, state, folder in zip(jobs, states, folders, strict=True):
            line = f"job {job.job_id}: {state}, {_progress(folder)}"
            if told.get(job.job_id) != line:
                told[job.job_id] = line
                tell(line)
        if going:
            time.sleep(every)
    codes = [(status.read(folder) or {}).get("exit_code") for folder in folders]
    return next((1 if code is None else code for code in codes if code != 0), 0)


def _state(job) -> str:
    """Slurm's word for the state of a job, asked of the controller (submitit asks the accounting, which not all sites have)."""
    from submitit.slurm.slurm import SlurmJob

    if not isinstance(job, SlurmJob):
        return job.state
    return scheduler.facts(job.job_id).get("JobState", "UNKNOWN")


def _progress(folder: Path) -> str:
    found = status.read(folder) or {}
    committed = [step for step, _ in naming.states(folder)]
    if committed:
        return f"state of step {max(committed)} of {found.get('steps', '?')}"
    return f"{found['step']} of {found['steps']} done" if found.get("step") else "nothing done yet"
