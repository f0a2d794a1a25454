"""The run folder at the start of a run: writable, locked, ours, and of this configuration (rank 0 only)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

from mpiflow.batch.supervise import STOPS
from mpiflow.belief.loader import State, newest, settings, trust
from mpiflow.config import Config
from mpiflow.doors import own
from mpiflow.errors import InputError, WriteError
from mpiflow.files import claims, put, take
from mpiflow.files.disk import DISK
from mpiflow.ranks.shortage import ShortageError
from mpiflow.state import naming
from mpiflow.state.holder import LOCK
from mpiflow.state.lock import RunLock
from mpiflow.state.naming import states
from mpiflow.state.provenance import compare

_CONFIG, _STATUS = "run.toml", "status.json"
_FILES, _FOLDERS = (_CONFIG, _STATUS, STOPS), ("log", "report")


def opened(
    folder: Path,
    config: Config,
    fresh: bool,
    stack: ExitStack,
    say: Callable[[str], None],
    source: Path | None = None,
) -> State | None:
    """Lock a run folder until the stack closes and return the state to go on from, None for a new run.

    folder: resolved. fresh: move a run that is there aside first. source: the run file, which is never overwritten. Raises
    InputError for a folder that cannot be written, that holds what no run made under the names of ours, or a run of another
    configuration, StateError where another run is in it.
    """
    _claimed(folder, config, source)
    new = [path for path in (folder / LOCK, folder, *folder.parents) if not path.exists()]
    _writable(folder)
    stack.enter_context(RunLock(folder))
    stack.push(_as_it_was(folder, new))
    if fresh and states(folder):
        _move_aside(folder, source, say)
    state = newest(folder, say)
    _same_run(folder, config, state, say)
    for name in _FOLDERS:
        claims.inner(folder, name)
    _keep_config(folder, config, state, source, say)
    return state


def _as_it_was(folder: Path, new: list[Path]) -> Callable:
    """The exit, as of a context, that removes what a start left that is refused before its first state.

    new: folders, and the lock, that were not there before. To be asked for, and called, with the lock held.
    """
    files, inner = (
        [folder / name for name in names if not os.path.lexists(folder / name)] for names in (_FILES, _FOLDERS)
    )

    def undo(kind: type | None, error: BaseException | None, _) -> None:
        if not isinstance(error, InputError) or isinstance(error, ShortageError) or states(folder):
            return
        # What is in the way is another's, and the refusal is what is told.
        with suppress(OSError):
            for path in [*files, *(log for place in inner for log in place.glob("rank-*.log"))]:
                path.unlink(missing_ok=True)
            for path in [*(place for place in inner if place.exists()), *new]:
                path.unlink() if path.name == LOCK else path.rmdir()

    return undo


def _claimed(folder: Path, config: Config, source: Path | None) -> None:
    """Raise InputError where a run here would replace what no run made, or what this one reads."""
    ours = bool(states(folder)) or (folder / LOCK).is_file()
    if not ours:
        claims.of_its_own(folder)
    names = [name for name in _FILES if not _is_source(folder / name, source)]
    inputs = [source, config.points.place]
    claims.output_folder(folder, names, lambda _: ours, inputs)
    for name in _FOLDERS:
        if not ours and os.path.lexists(folder / name):
            raise InputError(f"{folder / name}: is there, and no run of mpiflow made it; choose another folder with -o")


def _is_source(path: Path, source: Path | None) -> bool:
    return source is not None and path.is_file() and source.is_file() and path.samefile(source)


def _writable(folder: Path) -> None:
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in new:
            _make_certain(path)
        probe = folder / f".probe.{os.getpid()}"
        put(probe, b"")
        probe.unlink()
    except (OSError, WriteError) as error:
        raise InputError(
            f"{folder}: cannot be written ({error}); choose another folder with -o, or mend its permissions"
        ) from None


def _make_certain(folder: Path) -> None:
    """Wait until the name of a new folder is on the disk."""
    with suppress(PermissionError):  # where names may be added and not be listed
        DISK.sync_folder(folder.parent)


def _move_aside(folder: Path, source: Path | None, say: Callable[[str], None]) -> None:
    """Everything that a run left goes into a folder beside this one, on the same disk; what is the user's stays."""
    aside = _free(folder)
    try:
        aside.mkdir()
        for path in _left(folder):
            if not _is_source(path, source):
                path.rename(aside / path.name)
        # Before the new run makes it certain that they are gone from here.
        DISK.sync_folder(aside)
        _make_certain(aside)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be moved to {aside} ({error.strerror}); choose another folder with -o, or mend its permissions"
        ) from None
    say(f"--fresh: the run that was in {claims.near(folder)} is now {claims.near(aside)}")


def _free(path: Path) -> Path:
    """The first name of a former self that nothing has."""
    names = (path.with_name(f"{path.name}.old-{number}") for number in count(1))
    return next(name for name in names if not os.path.lexists(name))


def _left(folder: Path) -> Iterator[Path]:
    """What a run leaves in its folder. Parts go before their masters: a part without one would count as waste."""
    yield from (path for _, path in naming.parts(folder) + states(folder))
    yield from (folder / name for name in (*_FILES, *_FOLDERS) if os.path.lexists(folder / name))


def _keep_config(
    folder: Path, config: Config, state: State | None, source: Path | None, say: Callable[[str], None]
) -> None:
    """Write run.toml, the resolved run file. One that its user has edited since is kept under another name."""
    path, text = folder / _CONFIG, config.text()
    if _is_source(path, source):
        return
    try:
        found = take(path)
    except FileNotFoundError:
        found = text
    except (OSError, ValueError):
        found = ""
    if found not in (text, state.attributes["config"] if state else text):
        path.rename(kept := _free(path))
        say(f"{path} was changed by hand: kept as {kept}")
    put(path, text)


def _same_run(folder: Path, config: Config, state: State | None, say: Callable[[str], None]) -> None:
    if state is None:
        if states(folder):
            raise InputError(
                f"{folder}: none of its states validates (mpiflow verify {folder}); start anew with --fresh"
            )
        return
    # A key that is newer than the state has had its default.
    before = settings(state).model_dump(exclude_none=True, mode="json")
    for door, kind in own.of(config):
        own.agreed(door, kind.name, kind.source, state.attributes)
        door.set_name(before, kind.name)
    changed = compare(before, config.model_dump(exclude_none=True, mode="json"))
    if changed.fatal:
        raise InputError(
            f"{folder}: holds a run of another configuration ({'; '.join(changed.fatal)}): restore these keys, choose another "
            "folder with -o, or start anew with --fresh"
        )
    trust(state, config)
    for line in changed.harmless:
        say(f"changed since the last start: {line}")
