"""All measurements of a scaling study in one HDF5 file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import h5py
import numpy as np

from mpiflow.files import put

#: The name of the file, and the attribute that says whose it is.
STUDY, _MADE = "study.h5", "mpiflow scaling"

_MEANING = {
    "ranks": "ranks of the run",
    "cores": "cores that these ranks shared",
    "steps": "steps that were timed",
    "train": "train points",
    "oversubscribed": "1 where ranks shared cores: such a run is in no efficiency",
}


def write(
    path: Path, folders: list[str], numbers: dict[str, list[int]], stages: list[str], seconds: list[list[float]]
) -> None:
    """One row a run: its folder, its whole numbers, seconds of the slowest rank by stage. Replaces an older file whole."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs[_MADE] = True
        # Names of folders are bytes to the system, and not always text.
        file["folder"] = [os.fsencode(folder).decode("utf-8", "backslashreplace") for folder in folders]
        for name, column in numbers.items():
            file[name] = np.array(column)
            file[name].attrs.update({"units": "1", "description": _MEANING[name]})
        file["stage"] = stages
        file["seconds"] = np.array(seconds)
        file["seconds"].attrs.update(
            {"units": "s", "description": "wall time of each stage (run, stage), slowest rank"}
        )
    put(path, memory.getbuffer())


def ours(folder: Path) -> bool:
    """Whether an earlier report made what is in a folder: its study says so in its first kilobytes."""
    path = folder / STUDY
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return _MADE.encode() in file.read(1 << 16)
