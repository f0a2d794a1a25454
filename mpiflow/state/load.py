"""What a run folder or a file of ours holds; "latest" is computed: the newest state that validates.

A run may commit and prune meanwhile: a file that has gone is no verdict, the folder is listed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mpiflow.errors import StateError
from mpiflow.state import holder, naming, retention, schema, status
from mpiflow.state.diagnosis import diagnose
from mpiflow.state.read import State, read
from mpiflow.state.source import GoneError
from mpiflow.state.upgrade import NewerStateError

__all__ = ["ForeignError", "Hold", "State", "describe", "latest", "read", "verify"]

#: Holds a sound state against more than the schema; returns what it held it against, raises StateError.
Hold = Callable[[State], str]
#: Listings in which a file may be gone before it is read, and those in which a folder must be empty to be so.
_ROUNDS, _LOOKS = 1000, 5


class ForeignError(StateError):
    """The state is sound and of another run than its folder: it is not to be taken for a damaged one."""


def schema_alone(state: State) -> str:
    """Hold a state against nothing more."""
    return ""


def latest(folder: Path, say: Callable[[str], None], hold: Hold = schema_alone) -> State | None:
    """The newest state of a folder that validates, or None; what is skipped is told through `say`.

    Raises NewerStateError rather than go behind a sound state that only a newer mpiflow can read, ForeignError from `hold`.
    """
    told: set[str] = set()
    for _ in range(_ROUNDS):
        with suppress(GoneError):
            return _newest(folder, told, say, hold)
    raise StateError(f"{folder}: its states change faster than they can be read; try again when the run has ended")


def _newest(folder: Path, told: set[str], say: Callable[[str], None], hold: Hold) -> State | None:
    for path in reversed(_listed(folder)):
        try:
            state = read(path)
            hold(state)
            return state
        except (NewerStateError, ForeignError, GoneError):
            raise
        except StateError as error:
            if str(error) not in told:
                say(f"{error}; trying the state before it")
            told.add(str(error))
    return None


def _listed(folder: Path) -> list[Path]:
    """The states of a folder. A listing may miss both a state that comes and the one that goes: none is looked for again."""
    for _ in range(_LOOKS):
        if found := naming.states(folder):
            return [path for _, path in found]
    return []


def verify(folder: Path, hold: Hold = schema_alone) -> list[tuple[Path, bool, str]]:
    """(path, sound, message) of every state and every leftover of a run folder, oldest first."""
    verdicts: dict[Path, tuple[Path, bool, str]] = {}
    for _ in range(_ROUNDS):
        new = [path for path in _listed(folder) if path not in verdicts]
        for path in new:
            with suppress(GoneError):
                verdicts[path] = _verdict(path, hold)
        if all(path in verdicts for path in new):
            break
    found = sorted(verdicts.values(), key=lambda verdict: naming.step_of(verdict[0]))
    return found + [(path, True, f"{what}; not a state") for path, what in retention.leftovers(folder)]


def _verdict(path: Path, hold: Hold) -> tuple[Path, bool, str]:
    try:
        state = read(path)
    except NewerStateError as error:
        return path, False, str(error)
    except GoneError:
        raise
    except StateError as error:
        return path, False, f"{error} ({diagnose(path)})"
    try:
        held = ", ".join(filter(None, ["seal", "checksums", "schema", hold(state)]))
        return path, True, f"step {state.step}, {len(state.arrays)} datasets, held against {held}"
    except StateError as error:
        return path, False, str(error)


def describe(path: Path, hold: Hold = schema_alone) -> dict[str, object]:
    """What a state file or a run folder is, as plain values for people and for JSON.

    A folder: its status, who holds its lock, every file with its verdict, and its newest sound state. A file: its step,
    attributes, and the shape, type, units and meaning of each dataset. Raises StateError for what is neither.
    """
    path = Path(path)
    if not path.is_dir():
        state = read(path)
        hold(state)
        return _described(state)
    files = [{"path": str(file), "sound": sound, "message": message} for file, sound, message in verify(path, hold)]
    if not files and status.read(path) is None:
        raise StateError(f"{path} is not a run folder: it has neither a state nor a status")
    state = latest(path, lambda text: None, hold)
    return {
        "folder": str(path),
        "status": status.read(path),
        "lock": holder.holder(path),
        "files": files,
        "latest": state and _described(state),
    }


def _described(state: State) -> dict[str, object]:
    attributes = dict(state.attributes)
    return {
        "path": str(state.path),
        "step": state.step,
        "bytes": state.bytes,
        "provenance": _starts(state.path, attributes.pop("provenance", "") or "[]"),
        "attributes": attributes,
        "datasets": {name: _dataset(name, array) for name, array in sorted(state.arrays.items())},
    }


def _starts(path: Path, chain: str) -> list[dict]:
    try:
        return json.loads(chain)
    except (ValueError, RecursionError):
        raise StateError(f"{path}: its provenance is no JSON: it was not written by mpiflow") from None


def _dataset(name: str, array) -> dict[str, object]:
    described = {"shape": list(array.shape), "type": str(array.dtype)}
    try:
        return described | {"units": schema.field(name).units, "description": schema.field(name).description}
    except StateError:
        return described
