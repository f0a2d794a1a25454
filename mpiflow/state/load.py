"""What a run folder or a file of ours holds; "latest" is computed: the newest state that validates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mpiflow.errors import StateError
from mpiflow.state import holder, naming, retention, schema, status
from mpiflow.state.diagnosis import diagnose
from mpiflow.state.read import State, read
from mpiflow.state.upgrade import NewerStateError

__all__ = ["State", "describe", "latest", "read", "verify"]


def latest(folder: Path, say: Callable[[str], None]) -> State | None:
    """The newest state of a folder that validates, or None; what is skipped is told through `say`.

    Raises NewerStateError rather than go behind a sound state that only a newer mpiflow can read.
    """
    for _, path in reversed(naming.states(folder)):
        try:
            return read(path)
        except NewerStateError:
            raise
        except StateError as error:
            say(f"{error}; trying the state before it")
    return None


def verify(folder: Path) -> list[tuple[Path, bool, str]]:
    """(path, sound, message) of every state and every leftover of a run folder, oldest first."""
    report = [_verdict(path) for _, path in naming.states(folder)]
    return report + [(path, True, f"{what}; not a state") for path, what in retention.leftovers(folder)]


def _verdict(path: Path) -> tuple[Path, bool, str]:
    try:
        state = read(path)
    except NewerStateError as error:
        return path, False, str(error)
    except StateError as error:
        return path, False, f"{error} ({diagnose(path)})"
    return path, True, f"step {state.step}, {len(state.arrays)} datasets, every checksum agrees"


def describe(path: Path) -> dict[str, object]:
    """What a state file or a run folder is, as plain values for people and for JSON.

    A folder: its status, who holds its lock, every file with its verdict, and its latest state. A file: its step,
    attributes, and the shape, type, units and meaning of each dataset. Raises StateError for what is neither.
    """
    path = Path(path)
    if not path.is_dir():
        return _described(read(path))
    files = [{"path": str(file), "sound": sound, "message": message} for file, sound, message in verify(path)]
    if not files and status.read(path) is None:
        raise StateError(f"{path} is not a run folder: it has neither a state nor a status")
    state = latest(path, lambda text: None)
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
        "bytes": state.path.stat().st_size,
        "provenance": json.loads(attributes.pop("provenance", None) or "[]"),
        "attributes": attributes,
        "datasets": {name: _dataset(name, array) for name, array in sorted(state.arrays.items())},
    }


def _dataset(name: str, array) -> dict[str, object]:
    described = {"shape": list(array.shape), "type": str(array.dtype)}
    try:
        return described | {"units": schema.field(name).units, "description": schema.field(name).description}
    except StateError:
        return described
