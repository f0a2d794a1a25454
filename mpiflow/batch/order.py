"""What a job is to do, as its user wants it: a command of mpiflow on a run file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mpiflow import config
from mpiflow.errors import InputError
from mpiflow.tune import worker_folder

#: Stands for the number of a task of a job array.
_TASK = "{task}"


@dataclass(frozen=True)
class Order:
    """One command: run file, folder (None: that of the command by default), `section.key=value` overrides.

    command: "run"; "tune", for one worker of a study; "scaling", for one point of one. extra: further words of the
    command line. desk: where the process keeps status.json, under the folder.
    """

    config: Path
    output: Path | None = None
    overrides: tuple[str, ...] = ()
    log_all: bool = False
    quiet: bool = False
    command: str = "run"
    extra: tuple[str, ...] = ()
    desk: Path = Path()

    @property
    def folder(self) -> Path:
        """The folder of status.json and of the stops."""
        return self.output / self.desk

    @property
    def launched(self) -> bool:
        """Whether a launcher starts the ranks of the command; a scaling study starts its ranks by itself."""
        return self.command != "scaling"

    def resolved(self) -> Order:
        """The same with whole paths. Raises InputError for a wrong run file, before any rank is started."""
        found = config.read(self.config, list(self.overrides))
        suffix = "" if self.command == "run" else f"-{self.command}"
        folder = self.output or Path("runs") / f"{found.run.folder}{suffix}"
        return replace(self, config=self.config.absolute(), output=folder.absolute())

    def words(self) -> list[str]:
        """The command line, one word each: no shell ever reads them."""
        changes = [word for override in self.overrides for word in ("--set", override)]
        flags = [flag for flag, wanted in (("--log-all", self.log_all), ("--quiet", self.quiet)) if wanted]
        return [self.command, str(self.config), "-o", str(self.output), *changes, *flags, *self.extra]

    def task(self, number: str) -> Order:
        """The order of one task of a job array: its number wherever {task} is written."""
        folder = self.output and Path(str(self.output).replace(_TASK, number))
        return replace(self, output=folder, overrides=tuple(o.replace(_TASK, number) for o in self.overrides))


def worker(order: Order, name: str) -> Order:
    """One worker of the study of a run file."""
    return replace(order, command="tune", extra=("--worker", name), desk=worker_folder(Path(), name))


def points(order: Order, ranks: str, mode: str, repeats: int) -> list[Order]:
    """The points of a scaling study, one for each number of ranks. Raises InputError for numbers that are none."""
    words = ("--ranks", ranks, "--mode", mode, "--repeats", str(repeats))
    return [
        replace(order, command="scaling", extra=(*words, "--only", str(number)), desk=point_folder(number))
        for number in range(len(numbers(ranks)))
    ]


def point_folder(number: int) -> Path:
    """Where the process of one point of a scaling study keeps its status, under the folder of the study."""
    return Path("points") / str(number)


def numbers(ranks: str) -> list[int]:
    """Numbers of ranks from words like 1,2,4, in order. Raises InputError for anything else."""
    found = sorted({int(word) for word in ranks.split(",") if word.strip().isdecimal() and int(word)})
    if len(found) != len(ranks.split(",")):
        raise InputError(f"--ranks {ranks}: whole numbers above 0, each once, e.g. 1,2,4")
    return found
