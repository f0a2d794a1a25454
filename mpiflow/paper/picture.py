"""One look for all figures: axes with units, our lines in colour, the paper's in grey."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from mpiflow.comm import Comm
from mpiflow.files import put
from mpiflow.screen import tell
from mpiflow.screen.picture import figure, rendered

Row = TypeVar("Row")

#: How the paper's own numbers are drawn.
PAPER = {"color": "0.45", "ls": "--", "lw": 1.2}


def leave(draw: Callable[..., None], path: Path, *shown) -> None:
    """draw(path, *shown), where it can: a picture that cannot be drawn is told and left out, for its numbers took hours."""
    try:
        draw(path, *shown)
    except Exception as error:
        tell(f"{path} was not drawn: {type(error).__name__}: {error}; the numbers are complete without it")


def show(comm: Comm, say: Callable[[str], None], path: Path, draw: Callable[..., None], *shown) -> None:
    """The same on rank 0, and word of it; collective."""
    with comm.lead() as mine:
        if mine:
            leave(draw, path, *shown)
    say(f"picture: {path}")


def told(rows: Iterable[Row], say: Callable[[str], None], line: Callable[[Row], str]) -> list[Row]:
    """Rows as they are found, each of them said."""
    found = []
    for row in rows:
        found.append(row)
        say(line(row))
    return found


@contextmanager
def picture(path: Path, columns: int = 1, size: tuple[float, float] = (5.2, 3.9)):
    """Axes (one, or an array of `columns`) of a figure that is written to path, whole, when the block ends."""
    with figure((size[0] * columns, size[1])) as canvas:
        yield canvas.subplots(1, columns)
        content = rendered(canvas, dpi=160)
    path.parent.mkdir(parents=True, exist_ok=True)
    put(path, content)


def finished(axes, **labels) -> None:
    """Labels, a light grid and a legend."""
    axes.set(**labels)
    axes.grid(alpha=0.3, which="both", lw=0.5)
    axes.legend(frameon=False, fontsize="small")
