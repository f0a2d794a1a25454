"""Where a state comes from: one entry for every start of the run; and what a resumed run may change."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy

from mpiflow import __version__
from mpiflow.errors import StateError

#: Keys that change neither a number nor the meaning of a run, as "section." or "section.key".
HARMLESS = ("output.", "flow.steps", "engine.memory", "run.name")


class Difference(NamedTuple):
    """Changed keys of a run file as "key: old -> new": those that make it another run, and the harmless ones."""

    fatal: list[str]
    harmless: list[str]


def entry(ranks: int, backend: str, resumed_from: int | None, config: str = "") -> dict[str, object]:
    """One start of the run: versions, host, ranks, backend, time, the step it resumed from (None: a new run)."""
    return {
        "mpiflow": __version__,
        "commit": commit(),
        "host": socket.gethostname(),
        "machine": platform.machine(),
        "ranks": ranks,
        "cores": cores(),
        "backend": backend,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "h5py": h5py.__version__,
        "hdf5": h5py.version.hdf5_version,
        "start": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "resumed_from": resumed_from,
        "config": config,
    }


def cores() -> int:
    """Cores that the ranks of this job share: this process's, on each node of the job."""
    nodes = os.environ.get("SLURM_JOB_NUM_NODES", "1")
    return len(os.sched_getaffinity(0)) * (int(nodes) if nodes.isdecimal() else 1)


def append(chain: str, start: dict[str, object]) -> str:
    """The chain (JSON text, "" for a new run) with one more start. Raises StateError if it is not a chain."""
    try:
        entries = json.loads(chain or "[]")
    except ValueError as error:
        raise StateError(f"the provenance of the state is no JSON: {error}; it was not written by mpiflow") from error
    if not isinstance(entries, list):
        raise StateError(f"the provenance of the state is a {type(entries).__name__}, not a list of starts")
    return json.dumps([*entries, start])


@cache
def commit() -> str:
    """The git commit that this mpiflow runs from, with "+" if files differ from it; "" outside a checkout."""
    here = Path(__file__).parents[2]
    if not (here / ".git").exists():
        return ""
    try:
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+" if head and _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip()


def compare(old: dict, new: dict) -> Difference:
    """What differs between two configurations (nested dicts of plain values), key by key in the order of the keys."""
    before, after = _flat(old), _flat(new)
    fatal, harmless = [], []
    for key in sorted(before.keys() | after.keys()):
        if before.get(key, _ABSENT) != after.get(key, _ABSENT):
            line = f"{key}: {_shown(before, key)} -> {_shown(after, key)}"
            (harmless if _is_harmless(key) else fatal).append(line)
    return Difference(fatal, harmless)


_ABSENT = object()


def _flat(config: dict, prefix: str = "") -> dict[str, object]:
    flat = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def _shown(flat: dict[str, object], key: str) -> str:
    return json.dumps(flat[key], default=str) if key in flat else "absent"


def _is_harmless(key: str) -> bool:
    return any(key == known or (known.endswith(".") and key.startswith(known)) for known in HARMLESS)
