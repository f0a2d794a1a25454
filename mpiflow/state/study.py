"""All measurements of a scaling study in one HDF5 file."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np

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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with h5py.File(temporary, "w") as file:
        file["folder"] = folders
        for name, column in numbers.items():
            file[name] = np.array(column)
            file[name].attrs.update({"units": "1", "description": _MEANING[name]})
        file["stage"] = stages
        file["seconds"] = np.array(seconds)
        file["seconds"].attrs.update(
            {"units": "s", "description": "wall time of each stage (run, stage), slowest rank"}
        )
    os.replace(temporary, path)
