"""What run files may name: every class of a room that has a `name`, found by its file."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType


class Named:
    """The classes of a package that derive from `base` and have a `name`, wherever in it they stand."""

    def __init__(self, package: ModuleType, base: type):
        self.package, self.base = package, base

    def find(self, name: str) -> type | None:
        """The class of a name: of the file of that name, or else of any, which may take a second to load."""
        return (self._of(name) if name in self._files() else {}).get(name) or self.known().get(name)

    @cache  # noqa: B019  # as many as there are rooms, and they stay
    def known(self) -> dict[str, type]:
        """All classes by their names."""
        return {name: kind for file in self._files() for name, kind in self._of(file).items()}

    def _files(self) -> list[str]:
        return [file.name for file in pkgutil.iter_modules(self.package.__path__)]

    def _of(self, file: str) -> dict[str, type]:
        module = import_module(f"{self.package.__name__}.{file}")
        found = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, self.base)]
        return {kind.name: kind for kind in found if kind.__module__ == module.__name__ and kind.name}
