"""History, timing and attributes of a state, held against its run file and its step."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from mpiflow.belief.points import missing, outside
from mpiflow.config import Config
from mpiflow.doors import own
from mpiflow.state.load import State

_COLUMNS = tuple(f"history/{name}" for name in ("step", "time", "dt", "min_eigenvalue", "step_rejected", "test_step"))
#: What `info` and a resumed run read of each start.
_START = {"mpiflow": str, "commit": str, "host": str, "ranks": int, "backend": str, "start": str}


def complaints(state: State, config: Config) -> Iterator[str]:
    """What does not agree, the first that is found; what comes after it may not make sense."""
    if state.step > config.flow.steps:
        yield f"step {state.step} of flow.steps = {config.flow.steps}"
    for name, array in state.arrays.items():
        if not name.startswith("timing/") and array.dtype.kind in "iu" and not np.can_cast(array.dtype, np.int64):
            yield f"{name} is {array.dtype}: whole numbers fit in int64"
    yield from missing(state.arrays, _COLUMNS)
    yield from _history(state.arrays, state.step)
    yield from _attributes(state, config)
    for name, array in state.arrays.items():
        if name.startswith("timing/") and len(array) != state.attributes["ranks"]:
            yield f"{name} has {len(array)} entries: {state.attributes['ranks']} ranks wrote the state"


def _history(arrays: dict[str, np.ndarray], step: int) -> Iterator[str]:
    steps, looks = arrays["history/step"], arrays["history/test_step"]
    if len(steps) != step + 1 or (steps != np.arange(step + 1)).any():
        yield f"history/step is not 0..{step}"
    if (np.diff(looks) <= 0).any() or len(looks) == 0 or looks[0] != 0:
        yield "history/test_step does not ascend from 0"
    yield from outside("history/test_step", looks, 0, step)
    for name in ("time", "dt"):
        yield from outside(f"history/{name}", arrays[f"history/{name}"], 0, np.finfo(float).max)
    time = np.cumsum(arrays["history/dt"].astype(float))
    if not np.allclose(arrays["history/time"], time - time[0], rtol=1e-9, atol=0):
        yield "history/time is not the sum of history/dt"


def _attributes(state: State, config: Config) -> Iterator[str]:
    found, run = state.attributes, config.run
    for name in ("seed", "precision", "ranks", "engine", "backend", "provenance"):
        if name not in found:
            yield f"attribute {name} is not there"
    for name in ("seed", "precision"):
        if found[name] != getattr(run, name):
            yield f"attribute {name} is {found[name]!r}: the run file says {getattr(run, name)!r}"
    if found["ranks"] < 1:
        yield f"attribute ranks is {found['ranks']}"
    if found["backend"] not in ("cpu", "gpu"):
        yield f"attribute backend is {found['backend'][:40]!r}: it is cpu or gpu"
    yield from _starts(found["provenance"], state.step)
    yield from own.complaints(config, found)


def _starts(chain: str, step: int) -> Iterator[str]:
    try:
        starts = json.loads(chain)
    except (ValueError, RecursionError):
        starts = None
    if not isinstance(starts, list) or not starts or not all(isinstance(start, dict) for start in starts):
        yield "attribute provenance is no list of starts"
    for number, start in enumerate(starts):
        wrong = [name for name, kind in _START.items() if not isinstance(start.get(name), kind)]
        if wrong:
            yield f"attribute provenance: start {number + 1} does not tell its {', '.join(wrong)}"
        origin = start.get("resumed_from", "nowhere")
        if origin is not None and not (isinstance(origin, int) and 0 <= origin <= step):
            yield f"attribute provenance: start {number + 1} is resumed from {str(origin)[:40]}"
        if not isinstance(start.get("cores", 0), int):
            yield f"attribute provenance: start {number + 1} has cores that are no number"
