"""What a state says that it holds: one SHA-256 over its attributes and over the table of its datasets.

The seal is for the bytes of a file and the SHA-256 of a dataset for its values; this one is for all that lies between:
names, shapes, types and attributes, which HDF5's own structures hold.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

#: The attribute that holds it. Files without it are older.
NAME = "contents"


def digest(array: np.ndarray) -> str:
    """SHA-256 of the values of an array in row-major order, as they lie in memory and in the file."""
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).view(np.uint8)).hexdigest()


def row(array: np.ndarray) -> dict[str, object]:
    """What the table says of one dataset: shape, dtype and the SHA-256 of its values."""
    return {"shape": list(array.shape), "dtype": array.dtype.str, "sha256": digest(array)}


def of(attributes: dict[str, object], table: dict[str, dict]) -> str:
    """SHA-256 of attributes (text and numbers; its own left out) and table ("group/name" -> `row`), as canonical JSON."""
    rows = {name: [item["shape"], item["dtype"], item["sha256"]] for name, item in table.items()}
    told = {name: value for name, value in attributes.items() if name != NAME}
    text = json.dumps([told, rows], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
