"""One worker of a study: trials until there are enough, its time is up, or it is asked to stop."""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from pathlib import Path

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import RESUBMIT, InputError, WriteError
from mpiflow.files import claims
from mpiflow.screen import Screen
from mpiflow.state.lock import RunLock
from mpiflow.tune import space, worker_folder
from mpiflow.tune.variant import check
from mpiflow.tune.worker import Worker, seed

#: What a worker may be called.
_NAME = re.compile(r"\w[\w.-]{0,99}")


def tune(
    comm: Comm,
    settings: Config,
    where: Path,
    screen: Screen,
    *,
    max_time: float | None = None,
    worker: str,
    force: bool = False,
    source: Path | None = None,
) -> int:
    """Work on the study of a folder, which is begun if there is none; returns the exit code (0 done, 75 stopped).

    All ranks run each trial together; rank 0 keeps the study. worker: a name that no other worker of the study has.
    force: tables of another origin in the folder may be replaced. source: the run file that settings were read from. Raises
    InputError before any trial, also where Optuna is missing, for a name that is no name of a folder, or where the folder holds
    a study of other settings.
    """
    where = comm.led(claims.resolved, where)
    project = source and source.resolve().parent
    with ExitStack() as stack:
        found = None
        with comm.lead() as mine:
            if mine:
                found = _begun(settings, where, worker, stack, force)
        work = Worker(comm, settings, where, screen, max_time, worker, found, project)
        screen.open_log(worker_folder(where, worker))
        try:
            stop = work.all()
        except Exception as error:
            # Perhaps of one rank alone: nothing collective from here.
            with suppress(WriteError):
                work.tell("failed", getattr(error, "exit_code", 1), f"{type(error).__name__}: {error}")
            raise
        text = work.stopped(stop) if stop else work.rest()
        work.status("stopped" if stop else "done", RESUBMIT if stop else 0, text)
        screen.say(text)
        work.report()
        return RESUBMIT if stop else 0


def _begun(settings: Config, where: Path, worker: str, stack: ExitStack, force: bool):
    """The desk of a worker, its folder locked until the stack closes (rank 0)."""
    try:
        from mpiflow.tune import desk, journal, report
    except ImportError as error:
        raise InputError(f"mpiflow tune needs Optuna ({error}): pip install 'mpiflow[tune]'") from None
    if not _NAME.fullmatch(worker):
        raise InputError(
            f"--worker {worker!r}: it names a folder of the study; letters, digits, dots, dashes and underscores, up to 100"
        )
    settings.on_points("mpiflow tune")
    searched = space.dimensions(settings.moved_by.space, settings.tune.space)
    check(settings, searched, settings.run.name)
    if not journal.ours(where):
        claims.of_its_own(where)
    claims.output_folder(where, report.NAMES, journal.ours, force=force)
    folder = worker_folder(where, worker)
    try:
        claims.inner(claims.inner(where, folder.parent.name), folder.name)
    except OSError as error:
        raise InputError(f"{where}: cannot be written ({error.strerror}); choose another folder with -o") from None
    stack.enter_context(RunLock(folder))
    study = journal.opened(where, settings, searched, seed(settings))
    return desk.Desk(study, searched, settings.tune.trials, folder)
