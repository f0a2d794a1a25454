"""Where results may go, asked before any work: nothing of a user's is overwritten, and an input never."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from mpiflow.errors import InputError


def _here() -> Path | None:
    with suppress(FileNotFoundError):  # it was removed
        return Path.cwd()


#: The folder that the program was started in.
_STARTED = _here()


def near(path: Path) -> Path:
    """A path as it is shown: from the folder that the program was started in, where it lies there and is there still."""
    here = _STARTED and _STARTED == _here() and path.is_relative_to(_STARTED)
    return path.relative_to(_STARTED) if here else path


def resolved(path: Path) -> Path:
    """The place that a path means, its links followed: absolute, so that it stays where a user's class changes the folder.

    Raises InputError for a loop of links.
    """
    _mode(path)
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError up to Python 3.12
        raise InputError(f"{path}: cannot be found ({error}); choose another path") from None


def output_file(path: Path, inputs: Iterable[Path | None] = (), force: bool = False) -> Path:
    """A path that a result may be written to, absolute. inputs: files that are read, which no result may replace.

    Raises InputError where something is there already (unless `force`), where it is an input (always), where it is no
    regular file, or where its folder is not there or cannot be written.
    """
    path = Path(path)
    _no_input(path, inputs)
    if (mode := _mode(path)) is not None:
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            raise InputError(f"{path}: is no regular file; give the name of a file with -o")
        if not force:
            raise InputError(f"{path}: is there already; choose another name with -o, or replace it with --force")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it, or choose another place with -o")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: its folder cannot be written; choose another place with -o")
    return path.absolute()


def output_folder(
    folder: Path,
    names: Iterable[str],
    ours: Callable[[Path], bool],
    inputs: Iterable[Path | None] = (),
    force: bool = False,
) -> None:
    """Check that results of these names may be written into a folder, whether it is there or not.

    ours(folder): whether an earlier start of the same command made what is in it. Raises InputError where a file of
    another origin has one of the names (unless `force`), where it is an input or no regular file (always).
    """
    made = ours(folder)
    for name in names:
        path = folder / name
        _no_input(path, inputs)
        mode = _mode(path)
        if mode is None:
            continue
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            raise InputError(f"{path}: is no regular file; choose another folder with -o")
        if not made and not force:
            raise InputError(
                f"{path}: is there already, and this command did not make it; choose another folder with -o, or replace it "
                "with --force"
            )


def of_its_own(folder: Path) -> None:
    """Raise InputError for a folder that is everybody's: the root of a file system that holds anything, or a home.

    folder: resolved. A volume that is mounted for a run alone is empty.
    """
    kept: set[str] = set()
    if os.path.ismount(folder):
        with suppress(OSError):
            kept = set(os.listdir(folder)) - {"lost+found"}
    what = "the root of a file system" if kept or folder == folder.parent else ""
    if str(folder) == os.path.realpath(os.path.expanduser("~")):
        what = "your home"
    if what:
        raise InputError(f"{folder}: is {what}, where a run has no place of its own; choose a folder in it with -o")


def inner(folder: Path, name: str) -> Path:
    """A folder inside a folder of ours, made if it is not there. Raises InputError for a link or a file of that name."""
    path = folder / name
    with suppress(FileExistsError):
        path.mkdir(parents=True)
    if not stat.S_ISDIR(_mode(path) or 0):
        raise InputError(f"{path}: is a link or a file where a folder of the run belongs; remove it")
    return path


def _no_input(path: Path, inputs: Iterable[Path | None]) -> None:
    for source in inputs:
        if source is not None and path.exists() and Path(source).exists() and os.path.samefile(path, source):
            raise InputError(
                f"{path}: is read by this command, so it cannot be its result; choose another name with -o"
            )


def _mode(path: Path) -> int | None:
    """What has this name, itself and not what it links to; None for nothing. Raises InputError for a name that cannot be."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise InputError(f"{path}: cannot be written ({reason}); choose another path with -o") from None
