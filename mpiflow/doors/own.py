"""Classes of users: of a file that the run file names, `mine.py:Laplace`, or of an installed package.

Text is executed where a user asks for it, from a file on the disk or from rank 0; never from a state.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.settings.section import Named, Section

if TYPE_CHECKING:
    from mpiflow.doors.door import Door

#: Bytes that a file of a user's may have, and characters of a complaint about one.
LONGEST, _TOLD = 1 << 20, 300
#: Names of a path, counted from its end, by which a file is looked for that was moved.
_END = 8
#: How the modules of users' files are called.
MODULE = "mpiflow_own_"

#: How a class that is not ours is come by at a door, from its name; None for a name that means none.
Opener = Callable[["Door", str], type[Named] | None]


def nothing(door: Door, name: str) -> None:
    """The opener where there are only ours."""


def beside(folder: Path, kept: Callable[[], Mapping[str, object]] = dict) -> Opener:
    """Classes of files, relative to a folder, and of installed packages: executed. Raises ValueError for a bad one.

    kept: attributes of a state in the folder, {} for none; asked for where a file is gone, which may have moved with it.
    """

    def opened(door: Door, name: str) -> type[Named] | None:
        if not _is_file(name):
            return _installed(door, name)
        name = _whole(folder, name)
        return executed(door, *_found(door, name, folder, {} if os.path.exists(_path(name)) else kept()))

    return opened


def recorded(attributes: Mapping[str, object], folder: Path) -> Opener:
    """Classes as `beside`, their files being those of a state with these attributes, which lies in the folder.

    Raises InputError for another file.
    """

    def opened(door: Door, name: str) -> type[Named] | None:
        if not _is_file(name):
            if kind := _installed(door, name):
                agreed(door, name, kind.source, attributes)
            return kind
        name, text = _found(door, name, folder, attributes)
        agreed(door, name, text, attributes)
        return executed(door, name, text)

    return opened


def same(section: Section) -> Opener:
    """The classes that a run file has already, by the ends of their paths too. Raises ValueError for another file."""
    there = [(door.key, f"/{kind.name}", door.class_of(kind)) for door, kind in of(section)]

    def opened(door: Door, name: str) -> type[Named] | None:
        found = [kind for key, path, kind in there if key == door.key and path.endswith(f"/{Path(name)}")]
        if not found and _is_file(name):
            raise door.wrong(name, "a study takes the class of a file that its run file names, and no other here")
        return found[0] if found else None

    return opened


def closed(folder: Path) -> Opener:
    """Classes that nothing is computed with: any keys, nothing executed."""

    def named(door: Door, name: str) -> type[Named] | None:
        whole = _whole(folder, name) if _is_file(name) else name
        return _closed(door, whole) if _is_file(name) or name in installed(door) else None

    return named


def agreed(door: Door, name: str, text: str, attributes: Mapping[str, object]) -> None:
    """Raises InputError where a class's file is not the one that a state was made with."""
    found, wanted = digest(text), attributes.get(f"{door.word}_sha256", "none")
    if found != wanted:
        raise InputError(
            f'{door.key} = "{name}": its file has SHA-256 {found[:16]}, that of the state is {wanted[:16]}: restore the file '
            "(mpiflow info shows the text that the state keeps), or start anew"
        )


def digest(text: str) -> str:
    """The SHA-256 by which a user's file is known."""
    return hashlib.sha256(text.encode()).hexdigest()


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
    return {f"{door.word}_sha256": digest(kind.source) for door, kind in of(section)}


def complaints(section: Section, found: Mapping[str, object]) -> Iterator[str]:
    """What the attributes of a state lack to be believed of its users' files."""
    named = {door.word: kind for door, kind in of(section)}
    words = {
        name.removesuffix("_sha256").removesuffix("_text") for name in found if name.endswith(("_sha256", "_text"))
    }
    for word in sorted(words | named.keys()):
        text, sha256 = found.get(f"{word}_text", ""), found.get(f"{word}_sha256", "")
        if digest(text) != sha256:
            yield (
                f"attribute {word}_sha256 is not that of {word}_text"
                if sha256
                else f"attribute {word}_sha256 is not there"
            )


@cache
def executed(door: Door, name: str, text: str) -> type[Named]:
    """The class `file:Class` of a file's text. Raises ValueError in one line for anything wrong with it."""
    path, _, wanted = name.rpartition(":")
    try:
        loaded = module(path, text)
    except ValueError as error:
        raise door.wrong(name, str(error)) from None
    found = {key: item for key, item in vars(loaded).items() if _is(door, item, loaded.__name__)}
    if wanted not in found:
        there = ", ".join(found) or f"none: derive one of {door.users.__name__}"
        raise door.wrong(name, f"no {door.word} {wanted} in it; those in it are {there}")
    return _adopted(door, found[wanted], name, text)


@cache
def module(path: str, text: str) -> ModuleType:
    """The module of a user's file, executed once. Raises ValueError in one line where it does not load."""
    found = ModuleType(f"{MODULE}{digest(path + text)[:16]}")
    # Where annotations and dataclasses are looked up.
    sys.modules[found.__name__] = found
    try:
        with staying():
            exec(compile(text, path, "exec"), vars(found))
    except (Exception, SystemExit) as error:
        raise ValueError(f"the file does not load: {told(error)}") from None
    return found


@contextmanager
def staying() -> Iterator[None]:
    """What is loaded and tried of users' code may change the working directory, from which paths count: it is as before."""
    try:
        place = os.getcwd()
    except FileNotFoundError:  # it was removed: nothing counts from it
        place = None
    try:
        yield
    finally:
        if place is not None:
            os.chdir(place)


def tried(door: Door, kind: Named, beside: dict) -> None:
    """Try a user's class as its base does. Raises ValueError in one line where it is not one."""
    try:
        kind.tried(beside)
    except (Exception, SystemExit) as error:
        raise door.wrong(kind.name, told(error)) from None


def told(error: BaseException) -> str:
    """An error of a user's code in one line, with the line of their file where it came up."""
    trace, line = error.__traceback__, getattr(error, "lineno", None)
    while trace:
        if trace.tb_frame.f_globals.get("__name__", "").startswith(MODULE):
            line = trace.tb_lineno
        trace = trace.tb_next
    words = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    kind = f"{type(error).__name__}: " if line or not isinstance(error, ValueError) else ""
    return f"{kind}{words}"[:_TOLD] + (f" (line {line})" if line else "")


def installed(door: Door) -> list[str]:
    """Names of the classes of installed packages."""
    return sorted({point.name for point in entry_points(group=door.group)})


def _installed(door: Door, name: str) -> type[Named] | None:
    for point in entry_points(group=door.group, name=name):
        try:
            kind = point.load()
            text = inspect.getsource(sys.modules[kind.__module__])
        except (Exception, SystemExit) as error:
            raise door.wrong(name, f"{point.value} does not load: {told(error)}") from None
        if not _is(door, kind, kind.__module__):
            raise door.wrong(name, f"{point.value} is none; derive it of {door.users.__name__}")
        return _adopted(door, kind, name, text)
    return None


def _closed(door: Door, name: str) -> type[Named]:
    """A class whose file is not opened: whatever a run file may ask of it, nothing is refused."""
    facts = {"name": name, "source": "", "model_config": ConfigDict(extra="allow"), "__module__": __name__}
    return type("Closed", (door.base,), facts | door.users.unopened)


def _adopted(door: Door, kind: type[Named], name: str, text: str) -> type[Named]:
    """A class under the name of the run file, which other ranks get with its text."""
    kind.name, kind.source = name, text
    kind.__reduce__ = lambda self: (_remade, (door, name, text, vars(self)))
    return kind


def revived(door: Door, name: str, text: str) -> type[Named]:
    """The class of a name and the text of its file, on another rank than the one that read it."""
    return executed(door, name, text) if _is_file(name) else _installed(door, name)


def _remade(door: Door, name: str, text: str, values: dict) -> Named:
    return revived(door, name, text)(**values)


def _is_file(name: str) -> bool:
    return name.rpartition(":")[0].endswith(".py")


def _is(door: Door, item: object, module: str) -> bool:
    return isinstance(item, type) and issubclass(item, door.base) and item.__module__ == module


def _whole(folder: Path, name: str) -> str:
    path, _, wanted = name.rpartition(":")
    place = (folder / Path(path).expanduser()).absolute()
    return f"{place.resolve() if '..' in place.parts else place}:{wanted}"


def _path(name: str) -> Path:
    return Path(name.rpartition(":")[0])


def _found(door: Door, name: str, folder: Path, attributes: Mapping[str, object]) -> tuple[str, str]:
    """The name and the text of a file; of that of a state with these attributes, wherever it lies.

    It is at its path; or, where a project was moved, at an end of that path in the folder of the state, or above it.
    """
    path, wanted = _path(name), attributes.get(f"{door.word}_sha256")
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
        return take(_path(name), LONGEST)
    except FileNotFoundError:
        raise door.wrong(name, gone) from None
    except (OSError, ValueError) as error:
        raise door.wrong(name, f"the file cannot be read: {told(error)}") from None
