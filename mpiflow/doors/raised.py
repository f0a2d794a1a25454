"""What a user's code raises in the middle of the work."""

from __future__ import annotations

import traceback
from contextlib import contextmanager

from mpiflow.errors import FlowError, InputError


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
        # Not before: commands that open no door are quick.
        from mpiflow.doors.own import MODULE, told

        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        known = [frame for frame in frames if frame.f_globals.get("__name__", "").startswith(("mpiflow.", MODULE))]
        if not known or not known[-1].f_globals["__name__"].startswith(MODULE):
            raise
        raise InputError(f"{known[-1].f_code.co_filename}: {told(error)}") from error
