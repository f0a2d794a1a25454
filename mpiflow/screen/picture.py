"""Pictures: drawn with our settings and not those of the machine, and never what a run fails of."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mpiflow.files import put


def draw(path: Path, size: tuple[float, float], drawn: Callable[[Any], None], dpi: int = 150) -> str:
    """Draw a PNG and write it, whole. Returns "", or in one line why there is no picture.

    size: inches. drawn(figure): draws into a matplotlib figure; whatever it raises is part of the answer.
    """
    try:
        with figure(size) as canvas:
            drawn(canvas)
            content = rendered(canvas, dpi)
        put(path, content)
    except Exception as error:  # a picture is worth less than the result that it shows
        return f"{path} was not drawn: {type(error).__name__}: {error}; the result is complete without it"
    return ""


@contextmanager
def figure(size: tuple[float, float]):
    """A matplotlib figure of so many inches, with the library's own defaults: a user's settings may need what is not there."""
    wanted = os.environ.get("MPLBACKEND")
    # An unknown back end in the environment lets the import fail.
    os.environ["MPLBACKEND"] = "agg"
    try:
        import matplotlib
        from matplotlib.figure import Figure
    finally:
        _restore("MPLBACKEND", wanted)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield Figure(figsize=size, layout="constrained")


def rendered(canvas: Any, dpi: int = 150) -> bytes:
    """The PNG of a figure."""
    memory = io.BytesIO()
    canvas.savefig(memory, dpi=dpi, format="png")
    return memory.getvalue()


def _restore(name: str, value: str | None) -> None:
    if value is None:
        del os.environ[name]
    else:
        os.environ[name] = value
