"""Where the file of a user's class lies, that of `mine.py:Laplace`, also where a project was moved."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mpiflow.doors.raised import told
from mpiflow.files import take

if TYPE_CHECKING:
    from mpiflow.doors.door import Door

#: Bytes that a file of a user's may have.
LONGEST = 1 << 20
#: Names of a path, counted from its end, by which a file is looked for that was moved.
_END = 8


def is_file(name: str) -> bool:
    """Whether a name is of a class of a file, `mine.py:Laplace`."""
    return name.rpartition(":")[0].endswith(".py")


def whole(folder: Path, name: str) -> str:
    """The name with the absolute path of its file, which counts from a folder."""
    path, _, wanted = name.rpartition(":")
    place = (folder / Path(path).expanduser()).absolute()
    return f"{place.resolve() if '..' in place.parts else place}:{wanted}"


def path_of(name: str) -> Path:
    """The file of a name."""
    return Path(name.rpartition(":")[0])


def found(door: Door, name: str, folder: Path, attributes: Mapping[str, object]) -> tuple[str, str]:
    """The name and the text of a file; of that of a state with these attributes, wherever it lies.

    It is at its path; or, where a project was moved, at an end of that path in the folder of the state, or above it.
    """
    path, wanted = path_of(name), attributes.get(f"{door.word}_sha256")
    ends = range(1, min(len(path.parts), _END)) if wanted else ()
    near = (above / Path(*path.parts[-count:]) for above in (folder, *folder.parents) for count in ends)
    for place in (path, *near):
        with suppress(OSError, ValueError):
            if digest(text := take(place, LONGEST)) == wanted:
                return f"{place}:{name.rpartition(':')[2]}", text
    return name, _text(door, name, _gone(path, folder, wanted))


def _gone(path: Path, folder: Path, wanted: object) -> str:
    """What is said of a file that is not there, which of a state has the SHA-256 wanted."""
    if not wanted:
        return "no such file: put it there, or write where it is; a path counts from the run file"
    return (
        f"no such file, and no {path.name} with SHA-256 {str(wanted)[:16]} in {folder} or above it: put it there (mpiflow info "
        "shows the text that the state keeps)"
    )


def _text(door: Door, name: str, gone: str) -> str:
    try:
        return take(path_of(name), LONGEST)
    except FileNotFoundError:
        raise door.wrong(name, gone) from None
    except (OSError, ValueError) as error:
        raise door.wrong(name, f"the file cannot be read: {told(error)}") from None


def digest(text: str) -> str:
    """The SHA-256 by which a user's file is known."""
    return hashlib.sha256(text.encode()).hexdigest()
