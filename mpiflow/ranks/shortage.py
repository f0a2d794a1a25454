"""A rank that got no memory: known in every form in which a library says so, and told in one line with the cure."""

from __future__ import annotations

import errno
import re
import resource
import socket
import traceback
from collections.abc import Iterator
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np

from mpiflow import backend
from mpiflow.errors import FlowError, InputError

# What MPI, HDF5, JAX, numba, NumPy of absurd sizes, Python's threads and the C++ library say of it; HDF5 also fails to
# allocate room in files.
_PHRASES = re.compile(
    r"out of memory|memory allocation failed|cannot allocate memory|unable to allocate (?!file)|std::bad_alloc|"
    r"maximum allowed size exceeded|array is too big|RESOURCE_EXHAUSTED|allocation failed \(probably too large\)|"
    r"can't start new thread",
    re.IGNORECASE,
)
_BYTES = re.compile(r"allocat\w* ([\d,.]+) ?(bytes|B|KiB|MiB|GiB|TiB)\b", re.IGNORECASE)
_UNITS = {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}

#: Bytes that OpenBLAS takes for its work at the first product of matrices, and some more.
_WORK = 33 << 20


class ShortageError(InputError):
    """A rank was refused memory: the run asks for more than there is."""


def prevent() -> None:
    """Have OpenBLAS take its work memory now, before there is anything to lose. Raises MemoryError where there is none.

    It takes it at the first product of matrices and, where it gets none, asks again for ever or ends the process, and tells
    nobody. So NumPy asks for the same first. NumPy and SciPy bring an OpenBLAS each.
    """
    from scipy.linalg import blas

    np.empty(2 * _WORK, np.uint8)
    matrix = np.eye(8)
    np.matmul(matrix, matrix)
    blas.dgemm(1.0, matrix, matrix)


def of(error: BaseException, rank: int, size: int) -> ShortageError | None:
    """The same in one line, if it is a lack of memory, on this rank of so many; None if it is anything else."""
    if isinstance(error, ShortageError):
        return error
    found = next((one for one in _causes(error) if _is_shortage(one)), None)
    if found is None:
        return None
    return ShortageError(
        f"rank {rank} of {size} on {socket.gethostname()} is out of memory: {_wanted(found)}{_limit()}; take fewer points "
        "(points.train, points.test, --points), a smaller engine.memory, or more ranks or nodes: mpiflow plan says what "
        "fits. States on disk are intact"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it. What mpiflow says on purpose has its cause in its text."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_shortage(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, Exception) and not isinstance(error, FlowError) and bool(_PHRASES.search(str(error)))


def _wanted(error: BaseException) -> str:
    """What was asked for, as far as the error knows."""
    with suppress(AttributeError, TypeError, ValueError):
        shape, dtype = tuple(error.shape), error.dtype
        return f"{_shown(prod(shape) * dtype.itemsize)} were wanted for an array {shape} of {dtype}"
    if size := _bytes(str(error)):
        return f"{_shown(size)} were wanted{_on_a_gpu(error)}"
    return f"{_place(error)} wanted more than the {_shown(_held())} that it holds{_said(error)}"


def _on_a_gpu(error: BaseException) -> str:
    """Where CuPy was refused memory: what its GPU has left."""
    if not type(error).__module__.startswith("cupy"):
        return ""
    return f" of the GPU, which has {_shown(backend.free())} left"


def _place(error: BaseException) -> str:
    """The line of mpiflow that asked for memory, as far in as it can be followed."""
    lines = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "mpiflow" in frame.f_code.co_filename]
    if not lines:
        return "it"
    code = lines[-1].f_code
    return f"{code.co_name} in {'/'.join(Path(code.co_filename).parts[-2:])}"


def _held() -> int:
    """Bytes that this process has of the machine's memory now; 0 where that is not known."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _said(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return f" ({type(error).__name__}: {said[:120]})" if said else ""


def _bytes(text: str) -> float:
    """The bytes that a message speaks of; 0 for none."""
    found = _BYTES.search(text)
    with suppress(ValueError, TypeError):
        return float(found[1].replace(",", "")) * _UNITS.get(found[2].lower(), 1)
    return 0.0


def _limit() -> str:
    """What this process may have at most, where someone limited it."""
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    return "" if most == resource.RLIM_INFINITY else f", and its limit is {_shown(most)} (ulimit -v)"


def _shown(size: float) -> str:
    for unit, many in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= many:
            return f"{size / many:.3g} {unit}"
    return f"{size:.0f} bytes"
