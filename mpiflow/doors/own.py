"""Classes of users: of a file that the run file names, `mine.py:Laplace`, or of an installed package.

Text is executed where a user asks for it, from a file on the disk or from rank 0; never from a state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from mpiflow.doors import loaded, places
from mpiflow.errors import InputError
from mpiflow.settings.section import Named, Section

if TYPE_CHECKING:
    from mpiflow.doors.door import Door

#: How a class that is not ours is come by at a door, from its name; None for a name that means none.
Opener = Callable[["Door", str], type[Named] | None]


def nothing(door: Door, name: str) -> None:
    """The opener where there are only ours."""


def beside(folder: Path, kept: Callable[[], Mapping[str, object]] = dict) -> Opener:
    """Classes of files, relative to a folder, and of installed packages: executed. Raises ValueError for a bad one.

    kept: attributes of a state in the folder, {} for none; asked for where a file is gone, which may have moved with it.
    """

    def opened(door: Door, name: str) -> type[Named] | None:
        if not places.is_file(name):
            return loaded.from_package(door, name)
        name = places.whole(folder, name)
        return loaded.executed(
            door, *places.found(door, name, folder, {} if os.path.exists(places.path_of(name)) else kept())
        )

    return opened


def recorded(attributes: Mapping[str, object], folder: Path) -> Opener:
    """Classes as `beside`, their files being those of a state with these attributes, which lies in the folder.

    Raises InputError for another file.
    """

    def opened(door: Door, name: str) -> type[Named] | None:
        if not places.is_file(name):
            if kind := loaded.from_package(door, name):
                agreed(door, name, kind.source, attributes)
            return kind
        name, text = places.found(door, name, folder, attributes)
        agreed(door, name, text, attributes)
        return loaded.executed(door, name, text)

    return opened


def same(section: Section) -> Opener:
    """The classes that a run file has already, by the ends of their paths too. Raises ValueError for another file."""
    there = [(door.key, f"/{kind.name}", door.class_of(kind)) for door, kind in of(section)]

    def opened(door: Door, name: str) -> type[Named] | None:
        found = [kind for key, path, kind in there if key == door.key and path.endswith(f"/{Path(name)}")]
        if not found and places.is_file(name):
            raise door.wrong(name, "a study takes the class of a file that its run file names, and no other here")
        return found[0] if found else None

    return opened


def closed(folder: Path) -> Opener:
    """Classes that nothing is computed with: any keys, nothing executed."""

    def named(door: Door, name: str) -> type[Named] | None:
        if places.is_file(name):
            return _closed(door, places.whole(folder, name))
        return _closed(door, name) if name in loaded.installed(door) else None

    return named


def agreed(door: Door, name: str, text: str, attributes: Mapping[str, object]) -> None:
    """Raises InputError where a class's file is not the one that a state was made with."""
    found, wanted = places.digest(text), attributes.get(f"{door.word}_sha256", "none")
    if found != wanted:
        raise InputError(
            f'{door.key} = "{name}": its file has SHA-256 {found[:16]}, that of the state is {wanted[:16]}: restore the file '
            "(mpiflow info shows the text that the state keeps), or start anew"
        )


def doors(section: type[Section]) -> Iterator[tuple[str, Door]]:
    """The fields of a section that are doors."""
    for name, field in section.model_fields.items():
        for mark in field.metadata:
            if hasattr(mark, "written"):
                yield name, mark


def of(section: Section) -> Iterator[tuple[Door, Named]]:
    """Every user's class in a run file, with its door."""
    through = dict(doors(type(section)))
    for name in type(section).model_fields:
        value = getattr(section, name)
        if name in through and value is not None and value.source is not None:
            yield through[name], value
        if isinstance(value, Section):
            yield from of(value)


def attributes(section: Section) -> dict[str, str]:
    """What a state keeps of users' files: the text and the hash of each."""
    return {f"{door.word}_text": kind.source for door, kind in of(section)} | hashes(section)


def hashes(section: Section) -> dict[str, str]:
    """By what a study knows users' files."""
    return {f"{door.word}_sha256": places.digest(kind.source) for door, kind in of(section)}


def complaints(section: Section, found: Mapping[str, object]) -> Iterator[str]:
    """What the attributes of a state lack to be believed of its users' files."""
    named = {door.word: kind for door, kind in of(section)}
    words = {
        name.removesuffix("_sha256").removesuffix("_text") for name in found if name.endswith(("_sha256", "_text"))
    }
    for word in sorted(words | named.keys()):
        text, sha256 = found.get(f"{word}_text", ""), found.get(f"{word}_sha256", "")
        if places.digest(text) != sha256:
            yield (
                f"attribute {word}_sha256 is not that of {word}_text"
                if sha256
                else f"attribute {word}_sha256 is not there"
            )


def _closed(door: Door, name: str) -> type[Named]:
    """A class whose file is not opened: whatever a run file may ask of it, nothing is refused."""
    facts = {"name": name, "source": "", "model_config": ConfigDict(extra="allow"), "__module__": __name__}
    return type("Closed", (door.base,), facts | door.users.unopened)
