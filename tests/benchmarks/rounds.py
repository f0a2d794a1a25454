"""Interleaved rounds of CPU time: each contestant once a round, medians over the rounds, ratios in one run."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable

import numpy as np


def interleaved(contestants: dict[str, Callable[[], float | None]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each contestant; a contestant returns its own time, or None if it is not there."""
    for contest in contestants.values():
        contest()  # compiled, and in the caches
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contest in contestants.items():
            times[name].append(contest())
    return {name: float(np.median(t)) for name, t in times.items() if None not in t}


def timed(step: Callable) -> Callable[[], float]:
    """A contestant of this process."""

    def contest() -> float:
        start = time.process_time()
        step()
        return time.process_time() - start

    return contest


def clocked(step: Callable) -> tuple:
    """What a step returns, and its CPU seconds."""
    start = time.process_time()
    result = step()
    return result, time.process_time() - start


class Peers:
    """The peers' process: `python` of the environment that has them; without one, no peer is there."""

    def __init__(self, python: str | None, data: str):
        worker = os.path.join(os.path.dirname(__file__), "peers", "worker.py")
        pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen([python, worker, data], **pipe) if python else None
        self.answers: dict[str, dict] = {}

    def contestant(self, name: str, peer: str, **options) -> Callable[[], float | None]:
        """A peer's step with these options; its first rows are kept in `answers[name]`."""

        def contest() -> float | None:
            if self.process is None:
                return None
            self.process.stdin.write(json.dumps({"peer": peer, **options}) + "\n")
            self.process.stdin.flush()
            self.answers[name] = json.loads(self.process.stdout.readline())
            return self.answers[name].get("seconds")

        return contest

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
