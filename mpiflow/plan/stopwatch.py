"""Seconds of small pieces of work."""

from __future__ import annotations

import time
from collections.abc import Callable


def once(work: Callable[[], object]) -> float:
    """Seconds of a first run, with what it compiles."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best(work: Callable[[], object]) -> float:
    """Least seconds of a few runs in about a second and a half; the first, which may compile, does not count."""
    work()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < 1.2 and len(times) < 50):
        times.append(once(work))
    return min(times)
