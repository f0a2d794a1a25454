"""The values of a state, read straight from where its index says that they lie: HDF5 has no part in it."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np

from mpiflow.errors import StateError
from mpiflow.state import contents, seal
from mpiflow.state.source import Source


def plain(source: Source, datasets: dict[str, dict]) -> dict[str, np.ndarray]:
    """The datasets that lie in a file itself. Raises StateError, before any memory is taken, for what does not fit in it."""
    inside = {name: item for name, item in datasets.items() if "offset" in item}
    bounded(source, inside)
    arrays = {}
    for name, item in inside.items():
        arrays[name] = empty(source.path, name, item)
        source.fill(arrays[name], item["offset"])
    return arrays


def bounded(source: Source, datasets: dict[str, dict]) -> None:
    """Raises StateError where datasets reach over the ends of their file, or over each other."""
    end = seal.SIZE
    for name, item in sorted(datasets.items(), key=lambda pair: pair[1]["offset"]):
        if not size(item):
            continue
        if item["offset"] < end or item["offset"] + size(item) > source.size:
            raise StateError(
                f"{source.path}: {name}{item['shape']} has no place in the {source.size} bytes of the file"
            )
        end = item["offset"] + size(item)


def size(item: dict) -> int:
    """Bytes of a dataset of an index."""
    return math.prod(item["shape"]) * np.dtype(item["dtype"]).itemsize


def empty(path: Path, name: str, item: dict) -> np.ndarray:
    """Memory for a dataset. Raises StateError where there is not enough of it."""
    try:
        return np.empty(item["shape"], item["dtype"])
    except (MemoryError, ValueError):
        raise StateError(
            f"{path}: {name}{item['shape']} takes {size(item):,} bytes, more than this process may have; open it "
            "where there is more memory"
        ) from None


def sound(source: Source, item: dict) -> bool:
    """Whether a dataset that lies in a file has the SHA-256 that it was committed with; takes no memory for it."""
    digest = hashlib.sha256()
    for piece in source.pieces(item["offset"], size(item)):
        digest.update(piece)
    return digest.hexdigest() == item["sha256"]


def held(path: Path, arrays: dict[str, np.ndarray], datasets: dict[str, dict]) -> None:
    """Hold values against their SHA-256. Raises StateError naming the dataset."""
    for name, array in arrays.items():
        if contents.digest(array) != datasets[name]["sha256"]:
            raise StateError(f"{path}: {name} does not have the SHA-256 that it was committed with")
