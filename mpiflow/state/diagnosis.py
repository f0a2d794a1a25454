"""What of a damaged state is still sound, dataset by dataset."""

from __future__ import annotations

from pathlib import Path

from mpiflow.errors import StateError
from mpiflow.state import isolated, values
from mpiflow.state.source import Source


def diagnose(path: Path) -> str:
    """One line that names the datasets of a damaged file whose values are lost; those in its parts are not looked at."""
    try:
        with Source(path) as source:
            found = isolated.index(source.descriptor, damaged=True)
            if "refused" in found:
                return found["refused"]
            return _told(source, found)
    except StateError as error:
        return str(error)


def _told(source: Source, found: dict) -> str:
    inside = {name: item for name, item in found["datasets"].items() if "offset" in item}
    values.bounded(source, inside)
    lost = sorted(found["broken"] + [name for name, item in inside.items() if not values.sound(source, item)])
    return (
        f"{', '.join(lost) or 'only metadata'} damaged, {len(inside) + len(found['broken']) - len(lost)} datasets sound"
    )
