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
    """CuPy and "", or None and why not.

    It asks the driver alone: what computes takes memory of a GPU, and which is a rank's is not known yet (`take`).
    """
    try:
        import cupy
    except Exception as broken:  # a broken CUDA installation raises what it likes
        return None, f"cupy does not load ({broken}): pip install 'mpiflow[cuda12]' or 'mpiflow[cuda13]'"
    try:
        if not cupy.cuda.is_available():
            return None, "cupy finds no GPU or no driver on this machine"
    except Exception as broken:
        return None, f"cupy does not reach a driver ({broken})"
    return cupy, ""


def take(local_rank: int) -> str:
    """Give this process the GPU of its rank on the node, round robin, and try it: "", or why it does not compute.

    Nothing but a computed number proves that a GPU works.
    """
    cupy = probe()[0]
    try:
        cupy.cuda.Device(local_rank % cupy.cuda.runtime.getDeviceCount()).use()
        if int(cupy.arange(3).sum()) != 3:
            return "the GPU adds 0 + 1 + 2 to something else than 3"
    except Exception as broken:
        return f"the GPU does not compute ({broken}): pip install 'mpiflow[cuda12]' or 'mpiflow[cuda13]'"
    return ""


def free() -> int:
    """Bytes of the GPU in use that nobody has taken, as its driver says; 0 where there is none."""
    cupy = probe()[0]
    return int(cupy.cuda.runtime.memGetInfo()[0]) if cupy else 0


@dataclass(frozen=True)
class Device:
    """An array library and the way to its memory and back; `put` and `fetch` copy from and to numpy arrays.

    name: one for each GPU of a node, whoever sees it. kernel(text, name, options): a function of CUDA text, to be called with
    a grid, a block and its arguments. wait(): until all that was asked of the device is done, before MPI touches its memory.
    where: what a library must be told of it to make arrays there, as (keyword, value).
    """

    xp: ModuleType
    put: Callable
    fetch: Callable
    name: str = "host"
    kernel: Callable | None = None
    wait: Callable = lambda: None
    where: tuple = ()

    def empty(self, shape: tuple[int, ...], dtype: str):
        """An array there whose numbers are not set."""
        return self.xp.empty(shape, dtype=getattr(self.xp, dtype), **dict(self.where))

    def zeros(self, shape: tuple[int, ...], dtype: str):
        """An array of zeros there."""
        return self.xp.zeros(shape, dtype=getattr(self.xp, dtype), **dict(self.where))


#: The host's own memory, where nothing needs to be copied.
HOST = Device(np, lambda array: array, lambda array: array)


def swapped(xp: ModuleType, array):
    """(N, a, b) to (N, b, a)."""
    # The array API standard's name; NumPy 1 and CuPy 13 know the other alone.
    return (getattr(xp, "permute_dims", None) or xp.transpose)(array, (0, 2, 1))


def joined(xp: ModuleType, arrays: list, axis: int = 0):
    """Arrays after each other along an axis."""
    return (getattr(xp, "concat", None) or xp.concatenate)(arrays, axis=axis)


def cast(xp: ModuleType, array, dtype: str):
    """An array as numbers of another type; itself where it is of that already."""
    as_method = getattr(array, "astype", None)
    return as_method(dtype, copy=False) if as_method else xp.astype(array, getattr(xp, dtype), copy=False)


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


def device(name: str) -> Device:
    """The GPU that a backend means, the one in use, or the host. Raises InputError as `get`.

    Arrays go to and from a GPU through page-locked host memory.
    """
    xp = get(name)
    return HOST if xp is np else _gpu(xp.cuda.Device().id)


@cache
def _gpu(number: int) -> Device:
    xp = probe()[0]
    wait = xp.cuda.get_current_stream().synchronize
    return Device(xp, _put, _fetch, f"gpu {xp.cuda.Device(number).pci_bus_id}", _kernel, wait)


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


def _kernel(text: str, name: str, options: tuple[str, ...]) -> Callable:
    return probe()[0].RawKernel(text, name, options=options)


def _pinned(shape: tuple[int, ...], dtype) -> np.ndarray:
    import cupyx

    return cupyx.empty_pinned(shape, dtype)
