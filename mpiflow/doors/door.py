"""Where the classes of one base come in, by the name that a run file gives them: ours, and those of users."""

from __future__ import annotations

import pkgutil
from functools import cache, cached_property
from importlib import import_module
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import core_schema

from mpiflow.doors import loaded, own
from mpiflow.settings.section import Named, Section


class Door:
    """The type of a key of the run file that names a class: `Annotated[Base, Door(...)]`.

    key: of the run file, "kernel.name" where the class has a table of its own, "flow.loss" where its name may stand alone.
    base: "module:Class" that all derive from. rooms: packages with ours; every class of theirs that has a name is known,
    and one in the file of its name is found without the others. users: as base,
    what most classes of users derive from; a class whose file is not opened is taken for one.
    """

    def __init__(self, key: str, base: str, *rooms: str, users: str = ""):
        self.key, self._base, self.rooms, self._users = key, base, rooms, users or base

    @cached_property
    def base(self) -> type[Named]:
        return _class(self._base)

    @cached_property
    def users(self) -> type[Named]:
        return _class(self._users)

    def __reduce__(self):
        return type(self), (self.key, self._base, *self.rooms), {"_users": self._users}

    @property
    def table(self) -> bool:
        """Whether the class has a table of its own, in which the last word of the key is its name."""
        return self.key.rpartition(".")[2] == self.base.key

    @property
    def word(self) -> str:
        """What the attributes of a state call the door."""
        return self.key.partition(".")[0] if self.table else self.key.rpartition(".")[2]

    @property
    def group(self) -> str:
        """Of entry points of installed packages; each is a class of its own file."""
        return self.rooms[0]

    def names(self) -> list[str]:
        """What the key may be, but for files."""
        return [*self.known(), *loaded.installed(self)]

    def known(self) -> dict[str, type[Named]]:
        """Ours, by their names."""
        return {name: kind for file in _files(self.rooms) for name, kind in _named(file, self.base).items()}

    def find(self, name: str) -> type[Named] | None:
        """One of ours: of the file of its name, or else of any, which takes a second to load."""
        file = name.replace("-", "_")
        likely = [path for path in _files(self.rooms) if path.rpartition(".")[2] == file]
        for path in likely:
            if name in (there := _named(path, self.base)):
                return there[name]
        return self.known().get(name)

    def kind(self, name: object, opened: own.Opener = own.nothing) -> type[Named]:
        """The class of a name. Raises ValueError for one that there is not, with all that there are."""
        found = self.find(name) or opened(self, name) if isinstance(name, str) else None
        if found is None:
            # Only here are all of ours wanted, which take a second to load.
            ours = f'one of {", ".join(self.names())}, or a class of a file of yours, "mine.py:X"'
            if name is None:
                raise ValueError(f"{self.base.key}: missing; it is {ours}")
            raise self.wrong(name, f"must be {ours}")
        return found

    def keys(self, kind: type[Named]) -> type[Section]:
        """The model of the keys beside a name."""
        return kind

    def class_of(self, chosen: Named) -> type[Named]:
        """What was made, without its keys."""
        return type(chosen)

    def made(self, kind: Named | str) -> Named:
        """One as it is, or ours of a name with its usual keys. Raises ValueError for a name that there is not."""
        return self.kind(kind)() if isinstance(kind, str) else kind

    def wrong(self, name: object, why: str) -> ValueError:
        """A complaint about a class, for the run file."""
        shown = f'"{name}"' if isinstance(name, str) else repr(name)
        return ValueError(f"{self.base.key if self.table else ''} = {shown}: {why}")

    def split(self, given: object) -> tuple[object, dict[str, Any]]:
        """A name and the keys beside it, of a table or of a name alone."""
        keys = dict(given) if isinstance(given, dict) else {self.base.key: given}
        return keys.pop(self.base.key, self.base.usual), keys

    def named(self, table: dict) -> object:
        """The name that a run file's table has here; None for none."""
        node, last = self._place(table)
        return node.get(last)

    def set_name(self, table: dict, name: str) -> None:
        """Give a run file's table another name here: the same file at another place is the same class."""
        node, last = self._place(table)
        node[last] = name

    def _place(self, table: dict) -> tuple[dict, str]:
        section, _, last = self.key.rpartition(".")
        node = table.get(section, {})
        return (node[last], self.base.key) if isinstance(node.get(last), dict) else (node, last)

    def validated(self, given: object, info: ValidationInfo) -> Named | None:
        """The class with its keys. Raises ValueError where there is none of its name, or where a user's is none."""
        if given is None or isinstance(given, Named):
            return given
        name, keys = self.split(given)
        found = self.kind(name, (info.context or {}).get("own", own.nothing)).validated(keys, info.context)
        if found.source:
            loaded.tried(self, found, info.data)
        return found

    def written(self, kind: Named | None, info) -> object:
        """As run files have it: a name alone, where it may be and has no keys."""
        if kind is None:
            return None
        fields = kind.model_dump(mode=info.mode, exclude_none=info.exclude_none)
        return kind.name if not self.table and len(fields) == 1 else fields

    def __get_pydantic_core_schema__(self, source, handler):
        return core_schema.with_info_plain_validator_function(
            self.validated,
            serialization=core_schema.plain_serializer_function_ser_schema(self.written, info_arg=True),
        )


def _class(path: str) -> type[Named]:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


@cache
def _files(rooms: tuple[str, ...]) -> list[str]:
    """Modules of some packages, those of packages in them left out."""
    packages = {room: import_module(room) for room in rooms}
    return [
        f"{room}.{file.name}" for room, package in packages.items() for file in pkgutil.iter_modules(package.__path__)
    ]


@cache
def _named(file: str, base: type[Named]) -> dict[str, type[Named]]:
    """Classes of a module that derive from a base and have a name; or that offer such a class, to be made by it."""
    items = [getattr(item, "offers", item) for item in vars(import_module(file)).values() if isinstance(item, type)]
    found = [item for item in items if issubclass(item, base)]
    return {kind.name: kind for kind in found if kind.__module__ == file and kind.name}
