"""Large states: rows cut into sealed part files under a master of virtual datasets, which is committed last.

A virtual dataset reads a missing source as fill values without an error, so the master keeps the SHA-256 of each part
and `Parts` holds all of them against it. Parts are named by content: no part of a sound state is ever overwritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import h5py
import numpy as np

from mpiflow.errors import StateError
from mpiflow.state import image, isolated, naming, schema, values
from mpiflow.state.source import GoneError, Source

#: What grows with the data is cut by rows; the rest, and what is less than this share of a part, stays whole.
_CUT = ("point", "train", "test")
_SMALL = 1 / 50
_DIGEST = re.compile(r"[0-9a-f]{64}")

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


class Parts:
    """The parts of a master, to be read one after another.

    path, step: of the master. digests: its attribute "parts". large: the virtual datasets of its index. Raises StateError
    where the names are not those of the parts of this state.
    """

    def __init__(self, path: Path, step: int, digests: str, large: dict[str, dict]):
        self.path, self.large = path, large
        self.digests = _digests(path, digests)
        own = naming.state_path(path.parent, step)
        for number, (name, digest) in enumerate(self.digests.items()):
            if name != naming.part_path(own, number, digest).name:
                raise StateError(
                    f"{path} lacks one of its parts: {name[:100]!r} is no name of part {number} of step {step}"
                )
        for name, item in large.items():
            if any(source != [part, name] for source, part in zip(item["sources"], self.digests, strict=False)):
                raise StateError(f"{path}: {name} does not lie in the parts of the state, in their order")

    def arrays(self) -> dict[str, np.ndarray]:
        """The large datasets, as their rows follow each other in the parts.

        Raises StateError naming a part that is missing or not the one that was committed, GoneError where the master has
        gone too.
        """
        total = sum(values.size(item) for item in self.large.values())
        room = sum(_size(self.path, name) for name in self.digests)
        if total > room:
            raise StateError(f"{self.path}: its datasets have no place in the {room} bytes of its parts")
        arrays = {name: values.empty(self.path, name, item) for name, item in self.large.items()}
        rows = dict.fromkeys(arrays, 0)
        for part, digest in self.digests.items():
            for name, piece in _read(self.path, part, digest).items():
                where = arrays[name][rows[name] : rows[name] + len(piece)] if name in arrays else None
                if where is None or where.shape != piece.shape or where.dtype != piece.dtype:
                    raise StateError(f"{self.path}: {part} holds other rows of {name} than its master says")
                where[...] = piece
                rows[name] += len(piece)
        short = [name for name, array in arrays.items() if rows[name] != len(array)]
        if short:
            raise StateError(f"{self.path}: {short[0]} has fewer rows in its parts than its master says")
        return arrays


def _digests(path: Path, text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(d, str) and _DIGEST.fullmatch(d) for d in found.values()):
        raise StateError(f"{path}: attribute parts is no table of parts and their SHA-256")
    return found


def _opened(path: Path, name: str) -> Source:
    """A part; a link is none. Raises StateError, GoneError where its master has gone."""
    part = path.parent / name
    try:
        if part.is_symlink():
            raise StateError(f"{part} is a link")
        return Source(part)
    except StateError as error:
        kind = GoneError if isinstance(error, GoneError) and not path.exists() else StateError
        raise kind(f"{path} lacks one of its parts: {error}") from None


def _size(path: Path, name: str) -> int:
    with _opened(path, name) as source:
        return source.size


def _read(path: Path, name: str, digest: str) -> dict[str, np.ndarray]:
    with _opened(path, name) as source:
        try:
            if source.sealed() != digest:
                raise StateError(f"{name} is another file than it was committed with")
            found = isolated.index(source.descriptor)
            if "refused" in found:
                raise StateError(f"{source.path}: {found['refused']}")
            return values.plain(source, found["datasets"])
        except StateError as error:
            raise StateError(f"{path} lacks one of its parts: {error}") from error
