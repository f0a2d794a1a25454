"""Which kernels and spaces of features there are: every class of this room that has a name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mpiflow import kernels
from mpiflow.kernels.kernel import Kernel


def find(name: str, base: type = Kernel) -> type | None:
    """The kernel of a name, or what derives from another base: of the file of that name, or else of any, in a second."""
    return (_of(name, base) if name in _files() else {}).get(name) or known(base).get(name)


@cache
def known(base: type = Kernel) -> dict[str, type]:
    """The kernels of this room, or what derives from another base, by the names that run files give them."""
    return {name: kind for file in _files() for name, kind in _of(file, base).items()}


def _files() -> list[str]:
    return [file.name for file in pkgutil.iter_modules(kernels.__path__)]


def _of(file: str, base: type) -> dict[str, type]:
    module = import_module(f"{kernels.__name__}.{file}")
    found = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, base)]
    return {kind.name: kind for kind in found if kind.__module__ == module.__name__ and kind.name}
