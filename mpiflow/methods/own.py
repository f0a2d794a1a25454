"""Kernels of users: a class of a file that the run file names, `mine.py:Laplace`, or of an installed package.

Text is executed where a user asks for it, from a file on the disk or from rank 0; never from a state.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from pydantic import ConfigDict

from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.kernels.kernel import Kernel
from mpiflow.methods.trial import MODULE, told, wrong

#: Of entry points of installed packages; each is a class of its own file.
GROUP = "mpiflow.kernels"
#: Bytes that a file of a user's may have.
LONGEST = 1 << 20

#: How the class of a kernel that is not ours is come by, from its name; None for a name that means none.
Door = Callable[[str], type[Kernel] | None]


def beside(folder: Path) -> Door:
    """Kernels of files, relative to a folder, and of installed packages: executed. The door raises ValueError for a bad one."""

    def opened(name: str) -> type[Kernel] | None:
        if not _is_file(name):
            return _installed(name)
        name = _whole(folder, name)
        return executed(name, _text(name))

    return opened


def recorded(sha256: str) -> Door:
    """Kernels as `beside`, their files being those of a state. The door raises InputError for another file."""

    def opened(name: str) -> type[Kernel] | None:
        kind = None if _is_file(name) else _installed(name)
        text = kind.source if kind else _text(name) if _is_file(name) else None
        if text is None:
            return None
        agreed(name, digest(text), sha256)
        return kind or executed(name, text)

    return opened


def closed(folder: Path) -> Door:
    """Kernels that nothing is computed with: any keys, nothing executed."""

    def named(name: str) -> type[Kernel] | None:
        whole = _whole(folder, name) if _is_file(name) else name
        return type("Closed", (_Closed,), {"name": whole}) if _is_file(name) or name in installed() else None

    return named


def agreed(name: str, found: str, sha256: str) -> None:
    """Raises InputError where a kernel's file is not the one that a state was made with."""
    if found != sha256:
        raise InputError(
            f'kernel.name = "{name}": its file has SHA-256 {found[:16]}, that of the state is {sha256[:16]}: restore the file '
            "(mpiflow info shows the text that the state keeps), or start anew"
        )


def digest(text: str) -> str:
    """The SHA-256 by which a kernel's file is known."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def executed(name: str, text: str) -> type[Kernel]:
    """The class `file:Class` of a file's text. Raises ValueError in one line for anything wrong with it."""
    path, _, wanted = name.rpartition(":")
    try:
        loaded = module(path, text)
    except ValueError as error:
        raise wrong(name, str(error)) from None
    found = {key: item for key, item in vars(loaded).items() if _is_kernel(item, loaded.__name__)}
    if wanted not in found:
        raise wrong(
            name, f"no kernel {wanted} in it; its kernels are {', '.join(found) or 'none: derive one of Kernel'}"
        )
    return _adopted(found[wanted], name, text)


def module(path: str, text: str) -> ModuleType:
    """The module of a user's file, executed. Raises ValueError in one line where it does not load."""
    found = ModuleType(f"{MODULE}{digest(path + text)[:16]}")
    # Where annotations and dataclasses are looked up.
    sys.modules[found.__name__] = found
    try:
        exec(compile(text, path, "exec"), vars(found))
    except (Exception, SystemExit) as error:
        raise ValueError(f"the file does not load: {told(error)}") from None
    return found


def _installed(name: str) -> type[Kernel] | None:
    for point in entry_points(group=GROUP, name=name):
        try:
            kind = point.load()
            text = inspect.getsource(sys.modules[kind.__module__])
        except (Exception, SystemExit) as error:
            raise wrong(name, f"{point.value} does not load: {told(error)}") from None
        if not _is_kernel(kind, kind.__module__):
            raise wrong(name, f"{point.value} is no kernel; derive it of Kernel")
        return _adopted(kind, name, text)
    return None


def installed() -> list[str]:
    """Names of the kernels of installed packages."""
    return sorted({point.name for point in entry_points(group=GROUP)})


class _Closed(Kernel):
    """What is known of a kernel whose file is not opened; of what a run file may ask of a kernel nothing is refused."""

    model_config = ConfigDict(extra="allow")

    symmetric = True

    def reach(self, tolerance: float) -> float:
        return 0.0


def _adopted(kind: type[Kernel], name: str, text: str) -> type[Kernel]:
    """A class under the name of the run file, which other ranks get with its text."""
    kind.name, kind.source = name, text
    kind.__reduce__ = lambda self: (_revived, (name, text, self.model_dump(exclude={"name"})))
    return kind


def _revived(name: str, text: str, keys: dict) -> Kernel:
    kind = executed(name, text) if _is_file(name) else _installed(name)
    return kind.model_validate({key: value for key, value in keys.items() if key != "name"})


def _is_file(name: str) -> bool:
    return name.rpartition(":")[0].endswith(".py")


def _is_kernel(item: object, module: str) -> bool:
    return isinstance(item, type) and issubclass(item, Kernel) and item.__module__ == module


def _whole(folder: Path, name: str) -> str:
    path, _, wanted = name.rpartition(":")
    return f"{(folder / Path(path).expanduser()).absolute()}:{wanted}"


def _text(name: str) -> str:
    try:
        return take(Path(name.rpartition(":")[0]), LONGEST)
    except FileNotFoundError:
        raise wrong(name, "no such file; its path counts from the run file") from None
    except (OSError, ValueError) as error:
        raise wrong(name, f"the file cannot be read: {told(error)}") from None
