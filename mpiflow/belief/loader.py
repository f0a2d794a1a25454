"""The one door by which states of runs come in: to be opened, evaluated, resumed, shown, verified or measured."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from mpiflow import config
from mpiflow.belief import course
from mpiflow.config import Config
from mpiflow.doors import own as doors
from mpiflow.errors import InputError, StateError
from mpiflow.files import take
from mpiflow.methods import registry
from mpiflow.state import load
from mpiflow.state.load import ForeignError, State
from mpiflow.state.provenance import compare

__all__ = ["State", "describe", "latest", "newest", "opened", "read", "settings", "verify"]

#: Characters of the longest run file that a state or a folder may hold, and of the longest complaint that is told.
LONGEST, _TOLD = 1 << 20, 400
#: Dots between two commas of a line: a run file has one or two, a path a few more.
_PARTS = 100


def read(path: Path) -> State:
    """One state file, held against the schema and its own run file. Raises StateError, as `state.read` does."""
    state = load.read(path)
    agree(state)
    return state


def latest(folder: Path, say: Callable[[str], None]) -> State | None:
    """The newest state of a folder that validates and is of the folder's run, or None; what is skipped is told.

    Raises ForeignError where the newest sound state is of another run, NewerStateError as `state.load.latest`.
    """
    return load.latest(folder, say, _holds(folder))


def newest(folder: Path, say: Callable[[str], None]) -> State | None:
    """As `latest`, of whatever run it is: for a start, which holds it against the run file that it was given."""
    return load.latest(folder, say, agree)


def verify(folder: Path) -> list[tuple[Path, bool, str]]:
    """(path, sound, message) of every state and every leftover of a run folder, oldest first."""
    return load.verify(folder, _holds(folder))


def describe(path: Path) -> dict[str, object]:
    """What a state file or a run folder is, as plain values. Raises StateError for what is neither."""
    path = Path(path)
    return load.describe(path, _holds(path) if path.is_dir() else agree)


def settings(state: State) -> Config:
    """The run file of a state. Raises StateError in one line where it has none, or one that is not valid."""
    text = state.attributes.get("config")
    if text is None:
        raise StateError(f"{state.path}: attribute config, its run file, is not there, so it is no state of a run")
    try:
        _sensible(text)
        return config.loads(text)
    except (InputError, ValueError, RecursionError) as error:
        raise StateError(f"{state.path}: attribute config, its run file, is not valid: {_one_line(error)}") from None


def opened(state: State) -> Config:
    """The run file of a state to compute with: a user's own class is that of their file, if it is still the state's."""
    opener = doors.recorded(state.attributes, state.path.absolute().parent)
    found = config.check(tomllib.loads(state.attributes["config"]), str(state.path), opener)
    trust(state, found)
    return found


def trust(state: State, found: Config) -> None:
    """Hold a state against what of its run file only a user's opened file knows. Raises StateError."""
    if found.moved_by.source:
        _hold(state, found, registry.of(found).complaints)


def agree(state: State) -> str:
    """Hold a state against its own run file. Raises StateError with the first thing that does not agree."""
    own = settings(state)
    _hold(state, own, course.complaints)
    _hold(state, own, registry.of(own).complaints)
    return "its run file"


def _hold(state: State, own: Config, complaints: Callable[[State, Config], Iterator[str]]) -> None:
    for complaint in complaints(state, own):
        raise StateError(
            f"{state.path}: {_one_line(complaint)}: so no run of its own run file wrote it; take another state"
        )


def _agree_in(folder: Path, expected: dict, state: State) -> str:
    told = agree(state)
    found = settings(state).model_dump(exclude_none=True, mode="json")
    for door, kind in doors.of(settings(state)):
        # A project may have been moved: the hash tells whether it is the same file.
        if Path(str(door.named(expected))).name == Path(kind.name).name:
            door.set_name(found, door.named(expected))
        # Nobody knows the defaults of a file that is not opened.
        section = door.key.partition(".")[0]
        if section in expected and door.table:
            expected = expected | {section: found[section] | expected[section]}
    changed = compare(found, expected).fatal
    if changed:
        raise ForeignError(
            f"{state.path}: is of another run than {folder}/run.toml says ({_one_line('; '.join(changed))}); open that file "
            "itself, or take it out of the folder"
        )
    return f"{told}, run.toml of the folder"


def _holds(folder: Path) -> load.Hold:
    """How the states of a folder are held: against its run.toml too, where it has one. Raises StateError for a bad one."""
    path = Path(folder) / "run.toml"
    try:
        text = take(path, LONGEST)
        _sensible(text)
        table = tomllib.loads(text)
        expected = config.check(table, str(path), doors.closed(path.absolute().parent)).model_dump(
            exclude_none=True, mode="json"
        )
    except (FileNotFoundError, NotADirectoryError):
        return agree
    except (OSError, InputError, ValueError, RecursionError) as error:
        reason = _one_line(getattr(error, "strerror", None) or error)
        raise StateError(
            f"{path}: is no run file of a run ({reason}); put it back, or remove it: a start writes it anew"
        ) from None
    return partial(_agree_in, Path(folder), expected)


def _sensible(text: str) -> None:
    """Raises ValueError for what takes the parser long: its time grows with the square of the parts of a dotted key."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text):,} characters, and {LONGEST:,} at most make sense")
    if any(piece.count(".") > _PARTS for line in text.splitlines() for piece in line.split(",")):
        raise ValueError(f"it has a key of more than {_PARTS} parts")


def _one_line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _TOLD else f"{line[:_TOLD]} ..."
