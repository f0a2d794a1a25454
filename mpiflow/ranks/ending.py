"""How a job ends: all ranks together, or all at once when one of them fails alone."""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager

from mpiflow.comm import Comm, started
from mpiflow.errors import RESUBMIT, FlowError

#: Seconds for which a rank that leaves with an error waits for the others to leave with it.
PATIENCE = 5.0


@contextmanager
def ends_together():
    """What all ranks raise together is told once; what one rank raises alone ends the others, with its traceback.

    A rank that leaves alone would have the others wait for it in a collective for ever.
    """
    try:
        yield
    except FlowError as error:
        if not _ranks().all_here(PATIENCE):
            _abort(error.exit_code)
        if _ranks().rank == 0:
            sys.stderr.write(f"mpiflow: error: {error}\n")
        raise SystemExit(error.exit_code) from None
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if code not in (0, RESUBMIT) and not _ranks().all_here(PATIENCE):
            _abort(code)
        raise
    except BaseException:
        _abort(1)
        raise


def _ranks() -> Comm:
    """The ranks of the job, or this one alone as long as MPI was not started: errors may come before it."""
    return started() if started.cache_info().currsize else Comm()


def _abort(code: int) -> None:
    ranks = _ranks()
    if ranks.size > 1:
        # One write, so that the lines of ranks that fail together do not mix.
        told = f"mpiflow: rank {ranks.rank} of {ranks.size} failed, so the job ends:\n{traceback.format_exc()}"
        sys.stderr.write(told)
        sys.stderr.flush()
    ranks.abort(code)
