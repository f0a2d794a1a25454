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


def since(earlier: dict[str, float]) -> dict[str, float]:
    """Seconds of each part since `parts` were as a copy of them: those of one run, where a process makes several."""
    grown = {name: seconds - earlier.get(name, 0.0) for name, seconds in parts.items()}
    return {name: seconds for name, seconds in grown.items() if seconds}
