"""Which kernels there are: every class of this room that has a name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mpiflow import kernels
from mpiflow.kernels.kernel import Kernel


def find(name: str) -> type[Kernel] | None:
    """The kernel of a name: of the file of that name, or else of any, which takes a second to load."""
    return (_of(name) if name in _files() else {}).get(name) or known().get(name)


@cache
def known() -> dict[str, type[Kernel]]:
    """The kernels of this room by the names that run files give them."""
    return {name: kind for file in _files() for name, kind in _of(file).items()}


def _files() -> list[str]:
    return [file.name for file in pkgutil.iter_modules(kernels.__path__)]


def _of(file: str) -> dict[str, type[Kernel]]:
    module = import_module(f"{kernels.__name__}.{file}")
    found = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, Kernel)]
    return {kind.name: kind for kind in found if kind.__module__ == module.__name__ and kind.name}
