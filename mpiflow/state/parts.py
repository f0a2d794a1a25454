"""Large states: rows cut into sealed part files under a master of virtual datasets, which is committed last.

A virtual dataset reads a missing source as fill values without an error, so the master keeps the SHA-256 of each part
and `check` holds all of them against it. Parts are named by content: no part of a sound state is ever overwritten.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np

from mpiflow.errors import StateError
from mpiflow.state import image, naming, schema, seal

#: What grows with the data is cut by rows; the rest, and what is less than this share of a part, stays whole.
_CUT = ("point", "train", "test")
_SMALL = 1 / 50

Files = list[tuple[Path, memoryview]]


def split(
    path: Path, step: int, arrays: dict[str, np.ndarray], attributes: dict[str, object], part_bytes: int
) -> Files:
    """(path, content) of the files of a state in the order of their commits: its parts, if it is large, and itself.

    arrays is emptied on the way. Raises what `image.build` raises.
    """
    total = sum(array.nbytes for array in arrays.values())
    if total <= part_bytes:
        return [(path, image.build(step, arrays, attributes))]
    large = {name: array for name, array in arrays.items() if _is_large(name, array, part_bytes)}
    count = -(-total // part_bytes)
    parts: Files = []
    digests: dict[str, str] = {}
    layouts = {name: h5py.VirtualLayout(array.shape, array.dtype) for name, array in large.items()}
    for number in range(count):
        rows = {name: _rows(len(array), number, count) for name, array in large.items()}
        content = image.build(step, {name: large[name][cut] for name, cut in rows.items()}, {"part": number})
        digest = hashlib.sha256(content).hexdigest()
        part = naming.part_path(path, number, digest)
        parts.append((part, content))
        digests[part.name] = digest
        for name, cut in rows.items():
            layouts[name][cut] = h5py.VirtualSource(part.name, name, large[name][cut].shape, large[name].dtype)
    master = image.build(step, arrays, {**attributes, "parts": json.dumps(digests)}, layouts)
    return [*parts, (path, master)]


def _is_large(name: str, array: np.ndarray, part_bytes: int) -> bool:
    return schema.field(name).dims[0] in _CUT and array.nbytes > _SMALL * part_bytes


def _rows(length: int, number: int, count: int) -> slice:
    return slice(length * number // count, length * (number + 1) // count)


def check(path: Path, digests: str) -> None:
    """Validate every part of a master. digests: its attribute "parts". Raises StateError naming the part."""
    for name, digest in json.loads(digests).items():
        try:
            found = seal.check(path.parent / name)
        except StateError as error:
            raise StateError(f"{path} lacks one of its parts: {error}") from error
        if found != digest:
            raise StateError(f"{path} lacks one of its parts: {name} is another file than it was committed with")
