"""States of older schema versions, brought up to today's one version at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.errors import StateError
from mpiflow.state.schema import SCHEMA

Content = tuple[dict[str, np.ndarray], dict[str, object]]

#: version -> the function that turns (arrays, attributes) of that version into those of the next.
STEPS: dict[int, Callable[[dict, dict], Content]] = {}


class NewerStateError(StateError):
    """The file was written by a newer mpiflow: it is sound, and it is not ours to read or to go behind."""


def upgrade(path: object, version: int, arrays: dict, attributes: dict, newest: int = SCHEMA) -> Content:
    """The content of a file of any older version, as of today. Raises NewerStateError for a version from the future."""
    refuse_newer(path, version, newest)
    for old in range(version, newest):
        if old not in STEPS:
            raise StateError(f"{path} has schema {version}, which no released mpiflow has written")
        arrays, attributes = STEPS[old](arrays, attributes)
    return arrays, attributes


def refuse_newer(path: object, version: int, newest: int = SCHEMA) -> None:
    """Raises NewerStateError for a version from the future, whose files may hold what we cannot read."""
    if version > newest:
        raise NewerStateError(
            f"{path} has schema {version} and this mpiflow reads up to {newest}: "
            "install the mpiflow that wrote it (`mpiflow info` names its version), or a newer one"
        )
