"""Small runs of one run file that differ in some keys, each whole on one rank: members, dealt out to the ranks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.doors.raised import in_one_line
from mpiflow.errors import RESUBMIT, FlowError, InputError
from mpiflow.files.claims import near
from mpiflow.job.job import run
from mpiflow.screen import Screen

#: Members that one line may ask for.
MOST = 10_000


def choices(each: Sequence[str]) -> dict[str, list[str]]:
    """`key=value` settings of every member, by its name: all combinations of "key=value,value". Raises InputError."""
    found: dict[str, list[str]] = {}
    lists = []
    for words in each:
        key, equals, values = words.partition("=")
        if not (key and equals and all(values.split(","))):
            raise InputError(f"--each {words}: must be a key and its values, e.g. --each kernel.width=0.2,0.3")
        lists.append([f"{key}={value}" for value in values.split(",")])
    if (count := len(combined := list(product(*lists)))) > MOST:
        raise InputError(f"--each: {count} members; take at most {MOST} in one line")
    for settings in combined:
        name = "_".join(re.sub(r"[^\w.-]+", "-", words.partition(".")[2] or words) for words in settings)
        if name in found:
            raise InputError(f"--each: two members would be called {name}; name each value once")
        found[name] = list(settings)
    return found


def members(comm: Comm, runs: dict[Path, Config], quiet: bool = False, max_time: float | None = None) -> int:
    """Start or resume the run of each folder on one rank; returns the exit code of all. Collective.

    One that fails ends no other; a stop ends all, and the same line goes on. The code is that of the first that failed,
    else 75 where one was stopped, else 0.
    """
    found: dict[Path, tuple[int, str]] = {}
    for where in list(runs)[comm.rank :: comm.size]:
        found[where] = _member(runs[where], where, max_time)
        # Whichever rank it is.
        Screen(0, quiet).say(f"{near(where)}: {found[where][1]}")
        if found[where][0] == RESUBMIT:
            break
    codes = [code for part in comm.allgather(found) for code, _ in part.values()]
    codes += [RESUBMIT] * (len(runs) - len(codes))
    failed = [code for code in codes if code not in (0, RESUBMIT)]
    Screen(comm.rank, quiet).say(
        f"{codes.count(0)} of {len(runs)} members done, {codes.count(RESUBMIT)} stopped, {len(failed)} failed"
    )
    return failed[0] if failed else max(codes, default=0)


def _member(config: Config, where: Path, max_time: float | None) -> tuple[int, str]:
    try:
        with in_one_line():
            code = run(Comm(), config, where, Screen(0, quiet=True), max_time=max_time)
    except FlowError as error:
        return error.exit_code, str(error)
    return code, "stopped, its state saved" if code else "done"
