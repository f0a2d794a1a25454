"""Where a state comes from: one entry for every start of the run; and what a resumed run may change."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import subprocess
import time
from functools import cache
from importlib import metadata
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
        "processor": processor(),
        "ranks": ranks,
        "cores": cores(),
        "backend": backend,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": _version("scipy"),
        "numba": _version("numba"),
        "jax": _version("jax"),
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


@cache
def processor() -> str:
    """The model of this machine's processor and its widest vectors, both of which move bits."""
    try:
        found = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        found = ""
    facts = dict(re.findall(r"^([^\t:]+?)[ \t]*: (.*)$", found.partition("\n\n")[0], re.MULTILINE))
    flags = facts.get("flags", facts.get("Features", "")).split()
    model = facts.get("model name") or facts.get("CPU part") or platform.processor() or platform.machine()
    wide = next((name for flag, name in _VECTORS if flag in flags), "")
    return f"{model}, {wide}" if wide else model


_VECTORS = (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("avx", "AVX"), ("sve", "SVE"), ("asimd", "NEON"))


def _version(library: str) -> str:
    """The version of an installed library; "" without it."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def moved(chain: str, start: dict[str, object]) -> str:
    """What may move bits between the last start of a chain and a new one, in one line; "" where nothing may.

    Entries of older versions lack some facts, of which nothing is said.
    """
    last = _last(chain)
    changes = [f"{key} {_brief(last[key])} -> {_brief(start[key])}" for key in _MOVING if _differs(last, start, key)]
    if not changes:
        return ""
    return f"changed since the last start: {', '.join(changes)}: bits may differ from those of an uninterrupted run"


def begun(chain: str) -> int:
    """The step from which the last start of a chain went on; 0 for a new run, or where that is not known."""
    step = _last(chain).get("resumed_from")
    return step if isinstance(step, int) else 0


def _last(chain: str) -> dict:
    """The last start of a chain; empty where it tells none."""
    try:
        last = json.loads(chain)[-1]
    except (ValueError, LookupError, TypeError):
        return {}
    return last if isinstance(last, dict) else {}


#: Facts of a start on which bits may depend.
_MOVING = ("mpiflow", "commit", "numpy", "scipy", "numba", "jax", "h5py", "hdf5", "machine", "processor", "backend")


def _differs(last: dict, start: dict, key: str) -> bool:
    return bool(last.get(key)) and bool(start.get(key)) and last[key] != start[key]


def _brief(fact: object) -> str:
    """A fact in a few words: of a commit its first digits."""
    text = " ".join(str(fact).split())[:80]
    return re.sub(r"^([0-9a-f]{12})[0-9a-f]{28}", r"\1", text)


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
    done = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, encoding="utf-8", errors="replace", timeout=20, check=False
    )
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
