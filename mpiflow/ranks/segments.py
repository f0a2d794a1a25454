"""Shared-memory segments that killed MPICH jobs leave behind; a requeued job on the same node can trip over them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

#: Seconds after which a segment that nobody maps is stale; in MPI_Init it is unmapped for an instant only.
OLD = 30.0


def remove_stale(folder: Path = Path("/dev/shm"), old: float = OLD) -> list[Path]:
    """Delete this user's MPICH segments that no process maps; returns those that were deleted."""
    candidates = [path for path in folder.glob("mpich_shm_*") if _is_ours_and_old(path, old)]
    if not candidates:
        return []
    mapped = _mapped()
    stale = [path for path in candidates if str(path) not in mapped]
    for path in stale:
        with suppress(OSError):
            path.unlink()
    return stale


def _is_ours_and_old(path: Path, old: float) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and time.time() - found.st_mtime > old


def _mapped() -> str:
    """The memory maps of every process that this user may look at; nobody else can map this user's segments."""
    maps = []
    for path in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            maps.append(path.read_text("utf-8", "replace"))
    return "\n".join(maps)
