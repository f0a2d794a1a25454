"""The array libraries: numpy, and CuPy where a GPU really works; the only module that imports cupy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from mpiflow.errors import InputError

BACKENDS = ("cpu", "gpu", "auto")


@cache
def probe() -> tuple[ModuleType | None, str]:
    """CuPy and "", or None and why not. Importing it proves nothing: only a computed number does."""
    try:
        import cupy
    except Exception as broken:  # a broken CUDA installation raises what it likes
        return None, f"cupy does not load ({broken}): pip install mpiflow[gpu]"
    try:
        if not cupy.cuda.is_available():
            return None, "cupy finds no GPU or no driver on this machine"
        if int(cupy.arange(3).sum()) != 3:
            return None, "the GPU adds 0 + 1 + 2 to something else than 3"
    except Exception as broken:
        return None, f"the GPU does not compute ({broken}); pip install cupy-cuda12x[ctk] brings CUDA's own libraries"
    return cupy, ""


@dataclass(frozen=True)
class Device:
    """An array library and the way to its memory and back; `put` and `fetch` copy from and to numpy arrays."""

    xp: ModuleType
    put: Callable
    fetch: Callable
    number: int = 0
    wait: Callable = lambda: None  # until all that was asked of the device is done, before MPI touches its memory


#: The host's own memory, where nothing needs to be copied.
HOST = Device(np, lambda array: array, lambda array: array)


def dagger(xp: ModuleType, array):
    """The conjugate transposes of (N, a, b): (N, b, a)."""
    # The array API standard's name; NumPy 1 and CuPy 13 know the other alone.
    transposed = getattr(xp, "permute_dims", None) or xp.transpose
    return xp.conj(transposed(array, (0, 2, 1)))


def joined(xp: ModuleType, arrays: list):
    """Arrays after each other along their first axis."""
    return (getattr(xp, "concat", None) or xp.concatenate)(arrays)


def get(name: str) -> ModuleType:
    """The array library of a backend: numpy for "cpu", cupy for "gpu"; "auto" is a GPU if one works.

    Raises InputError for another name, and for "gpu" where none works, with the reason.
    """
    if name not in BACKENDS:
        raise InputError(f'run.backend = "{name}": no such backend; one of {", ".join(BACKENDS)}')
    if name == "cpu":
        return np
    cupy, reason = probe()
    if cupy is None and name == "gpu":
        raise InputError(f'run.backend = "gpu": {reason}; use "cpu" or "auto"')
    return np if cupy is None else cupy


def pick_device(local_rank: int) -> int:
    """Give this process the GPU of its rank on the node, round robin; returns its number. Call before `build`."""
    device = local_rank % probe()[0].cuda.runtime.getDeviceCount()
    probe()[0].cuda.Device(device).use()
    return device


def device(name: str) -> Device | None:
    """The GPU that a backend means, None where it means the CPU. Raises InputError as `get`.

    Arrays go through page-locked host memory. Not yet run on a GPU.
    """
    xp = get(name)
    return (
        None
        if xp is np
        else Device(xp, _put, _fetch, xp.cuda.Device().id, lambda: xp.cuda.get_current_stream().synchronize())
    )


def _put(array: np.ndarray):
    cupy = probe()[0]
    staged = _pinned(array.shape, array.dtype)
    staged[...] = array
    there = cupy.empty(array.shape, array.dtype)
    there.set(staged)
    # The buffer may be used again as soon as it is gone.
    cupy.cuda.get_current_stream().synchronize()
    return there


def _fetch(array) -> np.ndarray:
    # CuPy waits until the copy has come.
    return array.get(out=_pinned(array.shape, array.dtype))


def _pinned(shape: tuple[int, ...], dtype) -> np.ndarray:
    import cupyx

    return cupyx.empty_pinned(shape, dtype)
