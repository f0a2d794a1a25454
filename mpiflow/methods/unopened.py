"""What is believed of a state whose run file names a kernel, or a method, of a file that is not opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mpiflow.belief import points
from mpiflow.methods import components

if TYPE_CHECKING:
    from mpiflow.config import Config
    from mpiflow.state.load import State


def complaints(state: State, config: Config) -> Iterator[str]:
    """What a state lacks: of a kernel what any has, of a method its points, if it has any; the rest its file alone knows."""
    if not any(name.startswith("method/") for name in state.arrays):
        yield from components.complaints(state, config)
    elif "points/z" in state.arrays:
        yield from points.complaints(state, config)
