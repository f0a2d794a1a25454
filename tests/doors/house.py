"""A house with one file more: what a new kind asks for, and nothing else."""

import os
from pathlib import Path

import mpiflow

HOUSE = Path(mpiflow.__file__).parent


def with_file(folder, name, text):
    """A package of links to ours with a file more, "geometry/families/x.py": its room, and the environment of its users."""
    room = (folder / "house" / "mpiflow" / name).parent
    room.mkdir(parents=True)
    inner, outer = room, HOUSE / Path(name).parent
    while True:
        for item in outer.iterdir():
            if not (inner / item.name).exists():
                (inner / item.name).symlink_to(item)
        if outer == HOUSE:
            break
        inner, outer = inner.parent, outer.parent
    (room / Path(name).name).write_text(text)
    return room, {"PYTHONPATH": f"{folder / 'house'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
