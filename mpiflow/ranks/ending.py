"""How a job ends: all ranks together, or all at once when one of them fails alone."""

from __future__ import annotations

import os
import time
import traceback
from contextlib import contextmanager

from mpiflow.comm import Comm, started
from mpiflow.errors import RESUBMIT, FlowError, InputError, Stopped
from mpiflow.ranks import shortage
from mpiflow.screen.console import tell

#: Seconds for which a rank that leaves with an error waits for the others to leave with it.
PATIENCE = 5.0
#: The same for a rank that got no memory: a limit that all ranks have, all of them meet in the same place.
PATIENCE_OF_A_SHORTAGE = 1.0


@contextmanager
def ends_together():
    """What all ranks raise together is told once; what one rank raises alone ends the others, with its traceback.

    A rank that leaves alone would have the others wait for it in a collective for ever.
    """
    try:
        yield
    except Stopped as stopped:
        _leave(stopped, PATIENCE, f"mpiflow: {stopped}")
    except FlowError as error:
        together = _ranks().all_here(PATIENCE)
        if not together and not isinstance(error, InputError):
            _abort(error.exit_code)
        if not together:
            # What a user's class is given differs from rank to rank: its line says all, and a traceback of ours nothing.
            _tell(error, f"rank {_ranks().rank} of {_ranks().size}: ")
            _end_all(_ranks(), error.exit_code)
        if _ranks().rank == 0:
            _tell(error)
        raise SystemExit(error.exit_code) from None
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if code not in (0, RESUBMIT) and not _ranks().all_here(PATIENCE):
            _abort(code)
        raise
    except FileNotFoundError as error:
        if _somewhere():
            _abort(1)
            raise
        tell(
            "mpiflow: error: the working directory was removed: change to one that is there, then say the same line again"
        )
        raise SystemExit(InputError.exit_code) from error
    except BaseException as error:
        short = shortage.of(error, _ranks().rank, _ranks().size)
        if not short:
            _abort(1)
            raise
        # The frames hold what filled the memory.
        traceback.clear_frames(error.__traceback__)
        _leave(short, PATIENCE_OF_A_SHORTAGE, f"mpiflow: error: {short}")


def _leave(error: FlowError, patience: float, line: str) -> None:
    """End a rank whose line says all, and with it the others, which may not have met the same. Raises SystemExit."""
    ranks = _ranks()
    together = ranks.all_here(patience)
    if ranks.rank == 0 or not together:
        tell(line)
    if not together:
        _end_all(ranks, error.exit_code)
    raise SystemExit(error.exit_code) from None


def _somewhere() -> bool:
    """Whether there is a working directory."""
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def _ranks() -> Comm:
    """The ranks of the job, or this one alone as long as MPI was not started: errors may come before it."""
    return started() if started.cache_info().currsize else Comm()


def _tell(error: FlowError, where: str = "") -> None:
    first, *rest = map(str, error.args or ("",))
    tell(f"mpiflow: error: {where}{first}", *rest)


def _abort(code: int) -> None:
    ranks = _ranks()
    if ranks.size > 1:
        # One write, so that the lines of ranks that fail together do not mix.
        head = f"mpiflow: rank {ranks.rank} of {ranks.size} failed, so the job ends:"
        tell(head, *traceback.format_exc().splitlines())
    _end_all(ranks, code)


def _end_all(ranks: Comm, code: int) -> None:
    if ranks.size > 1:
        # MPICH's mpiexec may lose what was written just before it is told to end all.
        time.sleep(0.2)
    ranks.abort(code)
