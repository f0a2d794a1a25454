"""Which figures there are: every file of this room that has a title, and a file of a user's with the same verbs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mpiflow import paper
from mpiflow.errors import InputError
from mpiflow.files import take

if TYPE_CHECKING:
    from mpiflow.comm import Comm

#: How a file says that it is a figure. Read and not imported: the help lists them all.
_TITLE = re.compile(r'^TITLE = "(.+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Figure:
    """One figure. module: its verbs. sha256: of the text of a user's file, "" for one of ours."""

    name: str
    title: str
    module: ModuleType
    sha256: str = ""

    def points(self, size: str) -> int:
        """Number of points for a word of SIZES, or for a number. Raises InputError for anything else."""
        if size in self.module.SIZES:
            return self.module.SIZES[size]
        least = getattr(self.module, "LEAST", 100)
        if size.isdecimal() and len(size) < 20 and int(size) >= least:
            return int(size)
        words = ", ".join(self.module.SIZES)
        raise InputError(f"--size {size}: one of {words}, or a number of points, here at least {least}")


def titles() -> dict[str, str]:
    """Names of the figures of this room, in order, and what each shows; none is imported."""
    files = sorted(path for folder in paper.__path__ for path in Path(folder).glob("*.py"))
    found = {path.stem: _TITLE.search(take(path)) for path in files}
    return {stem.replace("_", "-"): title[1] for stem, title in found.items() if title}


def figure(comm: Comm, name: str) -> Figure:
    """A figure of this room by its name, or that of a user's file by its path; collective.

    Raises InputError for an unknown name, and for a file that is no figure.
    """
    if name.endswith(".py"):
        # Pydantic and all kernels come with it.
        from mpiflow.paper import own

        return own.figure(comm, Path(name))
    known = titles()
    if name not in known:
        raise InputError(f"paper {name}: no such figure; one of {', '.join(known)}, or a file of yours, mine.py")
    return Figure(name, known[name], import_module(f"{paper.__name__}.{name.replace('-', '_')}"))
