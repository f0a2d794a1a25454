"""The names of the files in a run folder: states, their parts, and temporaries that are not yet states."""

from __future__ import annotations

import re
from pathlib import Path

from mpiflow.files.temporary import temporaries, temporary

__all__ = ["part_path", "parts", "state_path", "states", "step_of", "temporaries", "temporary"]

_STATE = re.compile(r"state-(\d{8,})\.h5")
_PART = re.compile(r"state-(\d{8,})-part-\d+-[0-9a-f]+\.h5")


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
