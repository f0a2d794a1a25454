"""Reading one state: nothing is believed before it has been held against seal, schema and checksums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.errors import NumericalError, StateError
from mpiflow.state import contents, isolated, naming, schema, values
from mpiflow.state.isolated import UnreadableError
from mpiflow.state.parts import Parts
from mpiflow.state.source import Source
from mpiflow.state.upgrade import refuse_newer, upgrade


@dataclass(frozen=True)
class State:
    """One committed state: "group/name" -> array, the attributes (text and numbers), and the bytes of its file."""

    path: Path
    step: int
    arrays: dict[str, np.ndarray]
    attributes: dict[str, object]
    bytes: int


def read(path: Path) -> State:
    """Read one state, validated as a whole and dataset by dataset.

    Raises StateError naming what is damaged, GoneError where there is no such file, NewerStateError for a schema of the
    future.
    """
    with Source(Path(path)) as source:
        isolated.start()
        source.sealed()
        found = _index(source)
        attributes = found["attributes"]
        _same_contents(source.path, found)
        arrays = _arrays(source, found)
    for name in (contents.NAME, "parts"):
        attributes.pop(name, None)
    try:
        arrays, attributes = upgrade(source.path, attributes["schema"], arrays, attributes)
        sizes = schema.check(arrays)
    except (StateError, NumericalError) as error:
        raise StateError(f"{source.path} has sound checksums but is no state: {error}") from error
    _same_scales(source.path, found["scales"], sizes)
    return State(source.path, attributes["step"], arrays, attributes, source.size)


def _index(source: Source) -> dict:
    """The index of a file that is a state, of a schema that we know and under the name of its step."""
    path = source.path
    try:
        found = isolated.index(source.descriptor)
    except UnreadableError as error:
        raise StateError(f"{path} has a sound checksum but is no state: {error}") from error
    version = found["attributes"].get("schema")
    if isinstance(version, int):
        refuse_newer(path, version)
    try:
        if "refused" in found:
            raise StateError(found["refused"])
        schema.check_attributes(found["attributes"])
    except StateError as error:
        raise StateError(f"{path} has a sound checksum but is no state: {error}") from error
    if "part" in found["attributes"]:
        raise StateError(f"{path} is a part of a state: read the file without -part- in its name")
    step = found["attributes"]["step"]
    if naming.step_of(path) not in (None, step):
        raise StateError(f"{path} holds step {step}: it was renamed; give it back its name")
    return found


def _same_contents(path: Path, found: dict) -> None:
    """Hold attributes, names, shapes and types against their SHA-256, where the file has one (older ones have not)."""
    attributes = found["attributes"]
    promised = attributes.get(contents.NAME)
    if promised is not None and promised != contents.of(attributes, found["datasets"]):
        raise StateError(
            f"{path}: its attributes or its table of datasets have not the SHA-256 of attribute {contents.NAME}"
        )


def _arrays(source: Source, found: dict) -> dict[str, np.ndarray]:
    datasets, attributes = found["datasets"], found["attributes"]
    large = {name: item for name, item in datasets.items() if "sources" in item}
    arrays = values.plain(source, datasets)
    if large or "parts" in attributes:
        parts = Parts(source.path, attributes["step"], attributes.get("parts", "{}"), large)
        arrays |= parts.arrays()
    values.held(source.path, arrays, datasets)
    return {name: arrays[name] for name in datasets}


def _same_scales(path: Path, scales: dict[str, int], sizes: dict[str, int]) -> None:
    """What others take for the lengths of dimensions must be those that the datasets have."""
    for name, size in scales.items():
        if sizes.get(name, size) != size:
            raise StateError(f"{path}: dimension {name} is {size} long, and its datasets have {sizes[name]}")
