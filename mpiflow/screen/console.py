"""The console of rank 0: tables and lines of inert text; JSON for programs; one line for an error."""

from __future__ import annotations

import json
import math
from typing import Any

from rich.console import Console
from rich.text import Text

from mpiflow.errors import WriteError
from mpiflow.screen.inert import inert
from mpiflow.screen.streams import ERR, OUT

#: Columns where there is no terminal: tables stay whole in a file.
_WIDTH = 120


class Inert(Console):
    """A console for which every string is text: square brackets, colons and escapes in it mean nothing."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A string of a table or of a message, shown character by character."""
        options |= {"markup": False, "emoji": False, "highlight": False}
        return super().render_str(inert(text, keep="\n"), **options)


def console() -> Console:
    """A console on standard output, as wide as the terminal if there is one."""
    return Inert(
        file=OUT, highlight=False, markup=False, emoji=False, width=None if OUT.isatty() else _WIDTH, soft_wrap=True
    )


def answer(shown: Any) -> None:
    """Show what a command was asked for, a table or a line, which is not broken: it may be copied.

    Raises WriteError where standard output does not take it.
    """
    console().print(shown, soft_wrap=isinstance(shown, str))
    _taken()


def document(found: object) -> None:
    """One JSON document, for programs: what is not finite is null. Raises WriteError as `answer` does."""
    OUT.write(json.dumps(_plain(found), allow_nan=False, default=_listed) + "\n")
    _taken()


def tell(*lines: str) -> None:
    """Lines on standard error, in one piece, so that those of several ranks do not mix."""
    ERR.write("".join(f"{inert(line)}\n" for line in lines))
    ERR.flush()


def _taken() -> None:
    OUT.flush()
    if OUT.lost and not OUT.unread:
        raise WriteError(f"standard output: {OUT.lost}: what was asked for could not be shown; send it elsewhere")


def _plain(found: object) -> object:
    """The same with None for every number that JSON has no word for."""
    if isinstance(found, dict):
        return {str(name): _plain(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _listed(value: Any) -> object:
    """NumPy's numbers and arrays as Python's."""
    return _plain(value.tolist())
