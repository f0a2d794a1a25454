"""Where the seconds of this rank go, part by part, below the stages of a run: what scaling studies look at."""

from __future__ import annotations

import time
from contextlib import contextmanager

#: Seconds of each part since the process began. Parts do not contain each other.
parts: dict[str, float] = {}


@contextmanager
def part(name: str):
    """Add the time of a block to a part; waiting for other ranks counts where it happens."""
    start = time.perf_counter()
    try:
        yield
    finally:
        parts[name] = parts.get(name, 0.0) + time.perf_counter() - start
