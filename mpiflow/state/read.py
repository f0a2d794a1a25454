"""Reading one state: nothing is believed before its checksum."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from mpiflow.errors import StateError
from mpiflow.state import image, naming, parts, seal
from mpiflow.state.upgrade import upgrade


@dataclass(frozen=True)
class State:
    """One committed state: "group/name" -> array, and the attributes (text and numbers)."""

    path: Path
    step: int
    arrays: dict[str, np.ndarray]
    attributes: dict[str, object]


def read(path: Path) -> State:
    """Read one state, validated as a whole and dataset by dataset.

    Raises StateError naming what is damaged, NewerStateError for a schema of the future.
    """
    path = Path(path)
    seal.check(path)
    try:
        # A committed file never changes, so no lock is needed (and some network file systems have none).
        with h5py.File(path, "r", locking=False) as file:
            attributes = {name: _plain(value) for name, value in file.attrs.items()}
            if "part" in attributes:
                raise StateError(f"{path} is a part of a state: read the file without -part- in its name")
            parts.check(path, attributes.pop("parts", "{}"))
            arrays, attributes = upgrade(path, int(attributes["schema"]), _arrays(file, path), attributes)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise StateError(f"{path} has a sound checksum but is no state: {error}") from error
    step = int(attributes["step"])
    if naming.step_of(path) not in (None, step):
        raise StateError(f"{path} holds step {step}: it was renamed; give it back its name")
    return State(path, step, arrays, attributes)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """ "group/name" -> dataset, dimension scales left out."""
    found = {}
    file.visititems(lambda name, item: found.update({name: item}) if _holds_values(item) else None)
    return found


def _holds_values(item: object) -> bool:
    return isinstance(item, h5py.Dataset) and not item.is_scale


def _arrays(file: h5py.File, path: Path) -> dict[str, np.ndarray]:
    arrays = {name: dataset[()] for name, dataset in datasets(file).items()}
    for name, array in arrays.items():
        if image.digest(array) != file[name].attrs["sha256"]:
            raise StateError(f"{path}: {name} does not have the SHA-256 that it was committed with")
    return arrays
