"""What a person sees of a run: rank 0 alone speaks, with a bar on a terminal and plain lines elsewhere."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mpiflow.errors import WriteError
from mpiflow.files import append
from mpiflow.files.claims import inner
from mpiflow.screen.console import console
from mpiflow.screen.inert import inert
from mpiflow.screen.streams import OUT

#: Seconds between lines where there is no terminal; a batch system's log should stay readable after a day.
EVERY = 10.0
EVERY_IN_A_JOB = 60.0


class Screen:
    """Messages, stages and progress. quiet: errors only. log_all: a log file for every rank, not for rank 0 alone."""

    def __init__(self, rank: int = 0, quiet: bool = False, log_all: bool = False):
        self.rank, self.speaks, self.logs = rank, rank == 0 and not quiet, rank == 0 or log_all
        self.console = console()
        self.stage_name = "start"
        self._log: Path | None = None
        self._told: set[str] = set()

    def open_log(self, folder: Path) -> None:
        """Append to folder/log/rank-NNNN.log from now on. Raises InputError where log is no folder of ours."""
        if self.logs:
            self._log = inner(folder, "log") / f"rank-{self.rank:04d}.log"

    def say(self, *lines: str) -> None:
        """Lines on the screen and in the log."""
        if self.speaks:
            self.console.print("\n".join(map(inert, lines)))
        for line in lines:
            self.note(line)
        if OUT.lost:
            self._once(self.note, f"standard output is lost ({OUT.lost}): what follows is in this log alone")

    def note(self, line: str) -> None:
        """One line in the log alone: time, rank, stage."""
        if self._log:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S")
            try:
                append(self._log, f"{stamp} rank {self.rank} {self.stage_name}: {inert(line)}\n")
            except WriteError as error:
                # The log is for people: a full disk must stop the run at its states, not here.
                self._once(self.say, f"the log lacks lines: {error}")

    def show(self, table) -> None:
        """A rich table, on the screen alone."""
        if self.speaks:
            self.console.print(table)

    def _once(self, act, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            act(line)

    @contextmanager
    def stage(self, name: str, seconds: dict[str, float]):
        """Time a stage into seconds[name], adding to what is there."""
        before, self.stage_name, start = self.stage_name, name, time.perf_counter()
        try:
            yield
        finally:
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
            self.stage_name = before

    @contextmanager
    def steps(self, done: int, total: int):
        """A function to call after each step with its number and a short text."""
        if self.speaks and OUT.isatty() and "SLURM_JOB_ID" not in os.environ:
            yield from self._bar(done, total)
        else:
            yield self._lines(done, total)

    def _bar(self, done: int, total: int):
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        columns += [TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
        # A stream of rich's in the place of sys.stdout would stand before ours and behind it, and ask itself for ever.
        with Progress(*columns, console=self.console, redirect_stdout=False, redirect_stderr=False) as bar:
            task = bar.add_task("flow", total=total, completed=done, note="")
            yield lambda step, note: bar.update(task, completed=step, note=note)

    def _lines(self, done: int, total: int):
        every = EVERY_IN_A_JOB if "SLURM_JOB_ID" in os.environ else EVERY
        start = last = time.monotonic()

        def tell(step: int, note: str) -> None:
            nonlocal last
            now = time.monotonic()
            if step < total and now - last < every:
                return
            each, last = (now - start) / max(1, step - done), now
            self.say(f"step {step}/{total}  {note}  {each:.2g} s/step  ETA {each * (total - step):.0f} s{_limit()}")

        return tell


def _limit() -> str:
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    return f" (the job ends in {int(end) - time.time():.0f} s)" if end.isdecimal() else ""
