"""A user's class out of the text of its file, which is executed, or out of an installed package."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING

from mpiflow.doors.places import digest, is_file
from mpiflow.doors.raised import MODULE, told
from mpiflow.settings.section import Named

if TYPE_CHECKING:
    from mpiflow.doors.door import Door


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
            with suppress(FileNotFoundError):  # removed meanwhile: what was computed is worth more
                os.chdir(place)


def tried(door: Door, kind: Named, beside: dict) -> None:
    """Try a user's class as its base does. Raises ValueError in one line where it is not one."""
    try:
        kind.tried(beside)
    except (Exception, SystemExit) as error:
        words = told(error)
        if isinstance(error, NotImplementedError) and kind.name in words:
            # A base of ours says itself which key, and of which class.
            words = words.partition(kind.name)[2].lstrip('": ')
        raise door.wrong(kind.name, words) from None


def revived(door: Door, name: str, text: str) -> type[Named]:
    """The class of a name and the text of its file, on another rank than the one that read it."""
    return executed(door, name, text) if is_file(name) else from_package(door, name)


def _remade(door: Door, name: str, text: str, values: dict) -> Named:
    return revived(door, name, text)(**values)


def _adopted(door: Door, kind: type[Named], name: str, text: str) -> type[Named]:
    """A class under the name of the run file, which other ranks get with its text."""
    kind.name, kind.source = name, text
    kind.__reduce__ = lambda self: (_remade, (door, name, text, vars(self)))
    return kind


def installed(door: Door) -> list[str]:
    """Names of the classes of installed packages."""
    return sorted({point.name for point in entry_points(group=door.group)})


def from_package(door: Door, name: str) -> type[Named] | None:
    """The class of an installed package, None where none has the name. Raises ValueError in one line for a bad one."""
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


def _is(door: Door, item: object, module: str) -> bool:
    return isinstance(item, type) and issubclass(item, door.base) and item.__module__ == module
