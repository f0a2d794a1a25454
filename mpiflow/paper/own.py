"""A figure of a user's own: a file with the verbs of one, executed where its user asks for it and never for a page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import ModuleType

from mpiflow.comm import Comm
from mpiflow.doors import loaded, places
from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.paper.registry import Figure, titles

#: What it may be called: it names files, and stands on the page. The words are those of the command.
_NAME = re.compile(r"\w[\w-]{0,99}")
_WORDS = ("all", "report")


def figure(comm: Comm, path: Path) -> Figure:
    """The figure of a user's file: rank 0 reads it, every rank executes its text."""
    text = None
    with comm.lead() as mine:
        if mine:
            text = _text(path)
            _executed(path, text)
    return _executed(path, comm.bcast(text))


def _text(path: Path) -> str:
    name = path.stem.replace("_", "-")
    if name in (*titles(), *_WORDS) or not _NAME.fullmatch(name):
        raise InputError(
            f"paper {path}: no figure of yours can be called {name!r}: letters, digits and dashes, no name of ours"
        )
    try:
        return take(path, places.LONGEST)
    except FileNotFoundError:
        raise InputError(f"paper {path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"paper {path}: cannot be read: {error}") from None


@cache
def _executed(path: Path, text: str) -> Figure:
    try:
        module = loaded.module(str(path), text)
        _checked(module)
    except ValueError as error:
        raise InputError(f"paper {path}: {error}") from None
    return Figure(path.stem.replace("_", "-"), module.TITLE, module, places.digest(text))


def _checked(module: ModuleType) -> None:
    """Raises ValueError where a module lacks a verb of a figure."""
    title, sizes, least = (getattr(module, name, None) for name in ("TITLE", "SIZES", "LEAST"))
    if not isinstance(title, str) or not title or len(title.splitlines()) > 1:
        raise ValueError('it has no TITLE, what it shows on one line: TITLE = "gain against width"')
    if not isinstance(sizes, dict) or not sizes or not all(map(_is_size, sizes.items())):
        raise ValueError('it has no SIZES, numbers of points: SIZES = {"laptop": 1000, "node": 10_000}')
    if least is not None and not _is_size(("LEAST", least)):
        raise ValueError(f"LEAST = {least!r}: it must be a number of points")
    for verb in ("run(comm, out, size, say, seed)", "claims(rows)"):
        if not callable(getattr(module, verb.partition("(")[0], None)):
            raise ValueError(
                f"it has no function {verb}; `python -c 'help(\"mpiflow.paper\")'` tells what a figure has"
            )


def _is_size(item: tuple) -> bool:
    return isinstance(item[0], str) and type(item[1]) is int and item[1] > 0
