"""What lies where in an HDF5 file, found by a process of its own that reads no value (started by `isolated.py`).

HDF5 may crash, fill the memory or run for ever on a hostile file, and may read other files that it names. This process
limits its memory, its time for each file and its open files to the one that it is handed; what it answers is data. It
runs isolated, outside the package: it imports the standard library, numpy and h5py alone.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import select
import signal
import socket
import struct
import sys

#: Bytes beyond what the imports take; seconds of processor time for a file.
MEMORY, SECONDS = 400 << 20, 1.5
#: Seconds without a question after which the process ends.
IDLE = 10.0
#: Largest numbers of links in a file, of attributes of an object, of bytes in all texts of a file.
LINKS, ATTRIBUTES, TEXT = 500, 100, 16 << 20
_NAME = re.compile(rb"[A-Za-z0-9_.+-]{1,80}")
_DTYPES = ("|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)), "<f4", "<f8", "<c8", "<c16")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class Refused(Exception):
    """The file holds what no state holds."""


def main(folders: list[str]) -> None:
    """Answer for one file after another until the other side hangs up, or asks nothing for a while.

    folders: where numpy and h5py lie.
    """
    for number in _SIGNALS:  # the side that asks decides when this process ends
        signal.signal(number, signal.SIG_IGN)
    sys.path += folders
    global h5py, np
    import h5py
    import numpy as np

    connection = socket.socket(fileno=0)
    _types(), json.dumps("é"), b"a".decode("ascii")
    _limit()
    connection.sendall(struct.pack("<Q", 0))
    while True:
        if not select.select([connection], [], [], IDLE)[0]:
            return
        request, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
        if not request:
            return
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        reply = json.dumps(answer(descriptors[0], damaged=request == b"d"), ensure_ascii=False).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        connection.sendall(struct.pack("<Q", len(reply)) + reply)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # What is open now, and the file. That is the connection and two streams to nowhere, and what libraries keep open:
    # numpy loads libffi, which may hold itself open.
    last = os.dup(0)
    os.close(last)
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, last + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY,) * 2)


def _size() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux
        return 1 << 30


def answer(descriptor: int, damaged: bool) -> dict:
    """The index of a file, or under "refused" why it has none. damaged: name broken datasets under "broken"; no attributes."""
    found: dict = {"attributes": {}, "datasets": {}, "scales": {}, "broken": []}
    try:
        with open(descriptor, "rb") as stream, h5py.File(stream, "r") as file:
            if not damaged:
                found["attributes"] = _attributes(file.id)
            _walk(file.id, found, damaged)
    except Refused as reason:
        found["refused"] = str(reason)
    except Exception as error:  # whatever HDF5 says of damaged metadata
        found["refused"] = f"HDF5 cannot read it ({type(error).__name__}: {error})"
    return found


def _walk(root, found: dict, damaged: bool) -> None:
    seen: set = set()
    for name in _names(root, seen):
        item = _opened(root, name, seen)
        if isinstance(item, h5py.h5d.DatasetID):
            found["scales"][name.decode()] = _scale(item, name)
            continue
        if not isinstance(item, h5py.h5g.GroupID):
            raise Refused(f"{name.decode()} is neither a group nor a dataset")
        for inner in _names(item, seen):
            path = f"{name.decode()}/{inner.decode()}"
            try:
                found["datasets"][path] = _dataset(_opened(item, inner, seen), path)
            except Exception:
                if not damaged:
                    raise
                found["broken"].append(path)


def _names(group, seen: set) -> list[bytes]:
    names: list[bytes] = []
    group.links.iterate(lambda name: names.append(name) if len(names) + len(seen) < LINKS else True)
    if len(names) + len(seen) >= LINKS:
        raise Refused(f"it has more than {LINKS} objects")
    for name in names:
        if not _NAME.fullmatch(name):
            raise Refused(f"an object is called {name[:80]!r}")
    return names


def _opened(group, name: bytes, seen: set):
    """The object behind a hard link, met for the first time."""
    if group.links.get_info(name).type != h5py.h5l.TYPE_HARD:
        raise Refused(f"{name.decode()} is a soft or external link")
    item = h5py.h5o.open(group, name)
    address = h5py.h5o.get_info(item).addr
    if address in seen:
        raise Refused(f"{name.decode()} is there under two names")
    seen.add(address)
    return item


def _scale(dataset, name: bytes) -> int:
    shape = dataset.get_space().get_simple_extent_dims()
    if not h5py.h5ds.is_scale(dataset) or len(shape) != 1:
        raise Refused(f"{name.decode()} lies outside any group and names no dimension")
    return shape[0]


def _dataset(dataset, path: str) -> dict:
    """Shape, dtype, place and SHA-256 of one dataset; "sources" in place of "offset" for a virtual one."""
    if not isinstance(dataset, h5py.h5d.DatasetID):
        raise Refused(f"{path} is no dataset")
    shape = dataset.get_space().get_simple_extent_dims()
    dtype = _dtype(dataset.get_type())
    if shape is None or dtype is None:
        raise Refused(f"{path} is of a type that no state holds")
    found = {"shape": list(shape), "dtype": dtype, "sha256": _sha256(dataset)}
    layout = dataset.get_create_plist()
    if layout.get_nfilters() or layout.get_external_count():
        raise Refused(f"{path} is filtered or lies in another file")
    if layout.get_layout() == h5py.h5d.VIRTUAL:
        count = min(layout.get_virtual_count(), 10_000)
        ask = layout.get_virtual_filename, layout.get_virtual_dsetname
        return found | {"sources": [[get(place) for get in ask] for place in range(count)]}
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if layout.get_layout() != h5py.h5d.CONTIGUOUS or (size and dataset.get_storage_size() != size):
        raise Refused(f"{path} does not lie there in one piece")
    return found | {"offset": dataset.get_offset() if size else 0}


def _types() -> dict:
    """dtype -> how HDF5 holds it; compounds, enums and numbers that differ in a bit are others."""
    if not _KNOWN:
        _KNOWN.update({name: h5py.h5t.py_create(np.dtype(name), logical=True) for name in _DTYPES})
    return _KNOWN


_KNOWN: dict = {}


def _dtype(kind) -> str | None:
    return next((name for name, known in _types().items() if kind.equal(known)), None)


def _sha256(dataset) -> str | None:
    if not h5py.h5a.exists(dataset, b"sha256"):
        return None
    value = _value(h5py.h5a.open(dataset, b"sha256"))
    return value if isinstance(value, str) else None


def _attributes(root) -> dict:
    number = h5py.h5a.get_num_attrs(root)
    if number > ATTRIBUTES:
        raise Refused(f"it has {number} attributes")
    found, length = {}, 0
    for place in range(number):
        attribute = h5py.h5a.open(root, index=place)
        if not _NAME.fullmatch(attribute.name):
            raise Refused(f"an attribute is called {attribute.name[:80]!r}")
        name = attribute.name.decode()
        found[name] = _value(attribute)
        length += len(found[name]) if isinstance(found[name], str) else 0
        if found[name] is None or length > TEXT:
            raise Refused(f"attribute {name} is neither a finite number nor a text of at most {TEXT >> 20} MiB")
    return found


def _value(attribute) -> str | bool | int | float | None:
    """A text or a finite number; None for anything else."""
    kind = attribute.get_type()
    if attribute.shape != () or attribute.get_storage_size() > 4096:
        return None
    text = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    if not text and _dtype(kind) is None:
        return None
    value = np.empty((), h5py.string_dtype() if text else attribute.dtype)
    attribute.read(value)
    plain = value.item()
    if text:
        return plain.decode() if isinstance(plain, bytes) else plain
    return plain if isinstance(plain, bool | int) or (isinstance(plain, float) and math.isfinite(plain)) else None


if __name__ == "__main__":
    main(sys.argv[1:])
