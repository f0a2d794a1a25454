"""Errors that carry an exit code: what, the value, why, the cure, in one line."""


class FlowError(Exception):
    """Base of every error that mpiflow raises on purpose; each of its arguments is told on a line of its own."""

    exit_code = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class InputError(FlowError):
    """The run file, the command line or a data file is not usable."""

    exit_code = 2


class UnplannedError(InputError):
    """Nobody counted yet what such a run takes."""


class StateError(InputError):
    """A state file or run folder is damaged, foreign, locked or too new."""


class NumericalError(FlowError):
    """The flow left the domain in which it means something."""

    exit_code = 3


class WriteError(FlowError):
    """A state could not be committed; the states before it are intact."""

    exit_code = 4


#: The run stopped early with a state saved: submit it again (EX_TEMPFAIL of sysexits.h).
RESUBMIT = 75


class Stopped(FlowError):
    """The work was stopped in time, with all of it saved: the same line goes on."""

    exit_code = RESUBMIT
