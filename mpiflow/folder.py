"""The run folder at the start of a run: writable, locked, ours, and of this configuration (rank 0 only)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.state.load import State, latest
from mpiflow.state.lock import RunLock
from mpiflow.state.naming import states
from mpiflow.state.provenance import compare


def opened(folder: Path, config: Config, fresh: bool, stack: ExitStack, say: Callable[[str], None]) -> State | None:
    """Lock a run folder until the stack closes and return the state to go on from, None for a new run.

    fresh: move a run that is there aside first. Raises InputError for a folder that cannot be written or that holds a run
    of another configuration, StateError where another run is in it.
    """
    _writable(folder)
    if fresh and states(folder):
        folder = _moved_aside(folder, say)
    stack.enter_context(RunLock(folder))
    state = latest(folder, say)
    _same_run(folder, config, state, say)
    (folder / "run.toml").write_text(config.text())
    return state


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with -o, or mend its permissions"
        ) from None


def _moved_aside(folder: Path, say: Callable[[str], None]) -> Path:
    with RunLock(folder):
        number = 1
        while (aside := folder.with_name(f"{folder.name}.old-{number}")).exists():
            number += 1
        folder.rename(aside)
    folder.mkdir()
    say(f"--fresh: the run that was in {folder} is now {aside}")
    return folder


def _same_run(folder: Path, config: Config, state: State | None, say: Callable[[str], None]) -> None:
    if state is None:
        if states(folder):
            raise InputError(
                f"{folder}: none of its states validates (mpiflow verify {folder}); start anew with --fresh"
            )
        return
    changed = compare(tomllib.loads(state.attributes["config"]), config.model_dump(exclude_none=True, mode="json"))
    if changed.fatal:
        raise InputError(
            f"{folder}: holds a run of another configuration ({'; '.join(changed.fatal)}): restore these keys, choose another "
            "folder with -o, or start anew with --fresh"
        )
    for line in changed.harmless:
        say(f"changed since the last start: {line}")
