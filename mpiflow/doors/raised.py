"""What a user's code raises, in one line."""

from __future__ import annotations

import traceback
from contextlib import contextmanager

from mpiflow.errors import FlowError, InputError

#: How the modules of users' files are called.
MODULE = "mpiflow_own_"
#: Characters of a complaint about one.
_TOLD = 300


@contextmanager
def in_one_line():
    """An error of a user's class is InputError in one line, with its file; what ours raise, called by it or not, stays.

    SystemExit as well: a run that it ended with 0 would seem done.
    """
    try:
        yield
    except (FlowError, MemoryError):
        raise
    except NotImplementedError as error:
        if not str(error):
            raise
        # A base of ours says what a user's class has not.
        raise InputError(str(error)) from error
    except (Exception, SystemExit) as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        known = [frame for frame in frames if frame.f_globals.get("__name__", "").startswith(("mpiflow.", MODULE))]
        if not known or not known[-1].f_globals["__name__"].startswith(MODULE):
            raise
        raise InputError(f"{known[-1].f_code.co_filename}: {told(error)}") from error


def told(error: BaseException) -> str:
    """An error of a user's code in one line, with the line of their file where it came up."""
    trace, line = error.__traceback__, getattr(error, "lineno", None)
    while trace:
        if trace.tb_frame.f_globals.get("__name__", "").startswith(MODULE):
            line = trace.tb_lineno
        trace = trace.tb_next
    words = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    if type(error).__name__ == "TracerArrayConversionError":
        words = "numpy's functions take no arrays of JAX: write xp, which the method is given, in place of np"
    kind = f"{type(error).__name__}: " if line or not isinstance(error, ValueError) else ""
    return f"{kind}{words}"[:_TOLD] + (f" (line {line})" if line else "")
