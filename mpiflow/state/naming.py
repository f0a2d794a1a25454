"""The names of the files in a run folder: states, their parts, and temporaries that are not yet states."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_STATE = re.compile(r"state-(\d{8,})\.h5")
_PART = re.compile(r"state-(\d{8,})-part-\d+-[0-9a-f]+\.h5")
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)@(?P<host>.+)\.tmp")


def state_path(folder: Path, step: int) -> Path:
    """Where the state of a step lies."""
    return Path(folder) / f"state-{step:08d}.h5"


def step_of(path: Path) -> int | None:
    """The step that the name of a file speaks of; None for the name of another file."""
    match = _STATE.fullmatch(Path(path).name)
    return int(match[1]) if match else None


def states(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of every state in a folder, sound or not, oldest first."""
    found = ((step_of(path), path) for path in Path(folder).glob("state-*.h5"))
    return sorted((step, path) for step, path in found if step is not None)


def part_path(path: Path, number: int, digest: str) -> Path:
    """Where a part of the state at `path` lies; the name depends on its content."""
    return path.with_name(f"{path.stem}-part-{number:04d}-{digest[:12]}.h5")


def parts(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of every part file in a folder, with a state or without."""
    found = ((_PART.fullmatch(path.name), path) for path in sorted(Path(folder).glob("state-*-part-*.h5")))
    return [(int(match[1]), path) for match, path in found if match]


def temporary(path: Path) -> Path:
    """The name under which this process writes a file before it is renamed to `path` in the same folder."""
    return path.with_name(f".{path.name}.{os.getpid()}@{socket.gethostname()}.tmp")


def temporaries(folder: Path) -> list[tuple[Path, str]]:
    """(path, writer as pid@host) of every file in a folder that never got its final name."""
    found = ((path, _TEMPORARY.fullmatch(path.name)) for path in sorted(Path(folder).glob(".*.tmp")))
    return [(path, f"{match['pid']}@{match['host']}") for path, match in found if match]
