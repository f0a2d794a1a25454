"""The ranks, and the few collectives the flow needs; the only module that imports mpi4py."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from mpiflow import __version__
from mpiflow.errors import FlowError, InputError, WriteError
from mpiflow.ranks import alike, shortage
from mpiflow.ranks.launcher import absent, foreign, launched, mismatch, version
from mpiflow.state.provenance import commit


class Comm:
    """One rank's view of a communicator; `Comm()` without MPI is a single rank."""

    def __init__(self, mpi: Any = None):
        self.mpi = mpi
        self.rank = mpi.Get_rank() if mpi else 0
        self.size = mpi.Get_size() if mpi else 1

    @classmethod
    def of(cls, given: Any) -> Comm:
        """What users of Python give: one of these, a communicator of mpi4py, or None for this rank alone.

        Raises InputError for anything else.
        """
        if given is None or isinstance(given, cls):
            return given or cls()
        if not (hasattr(given, "Get_rank") and hasattr(given, "allgather")):
            raise InputError(
                f"comm = {given!r}: give mpi4py's MPI.COMM_WORLD, or mpiflow.comm.world(), or leave it out"
            )
        return cls(given)

    def bcast(self, item: Any, root: int = 0) -> Any:
        """Any picklable item of the root, on every rank."""
        return self.mpi.bcast(item, root) if self.size > 1 else item

    def gather(self, item: Any, root: int = 0) -> list | None:
        """The items of all ranks in rank order, on the root; None elsewhere."""
        return self.mpi.gather(item, root) if self.size > 1 else [item]

    def allgather(self, item: Any) -> list:
        """The items of all ranks in rank order, on every rank."""
        return self.mpi.allgather(item) if self.size > 1 else [item]

    def barrier(self) -> None:
        """Wait for every rank."""
        if self.size > 1:
            self.mpi.Barrier()

    def any(self, flag: bool) -> bool:
        """True on every rank if it is true on one."""
        return any(self.allgather(bool(flag)))

    def gather_rows(self, rows: np.ndarray, root: int = 0) -> np.ndarray | None:
        """Rows (n_r, ...) of all ranks, stacked in rank order, on the root; None elsewhere."""
        if self.size == 1:
            return rows
        rows = np.ascontiguousarray(rows)
        counts = self.mpi.gather(rows.size, root)
        if self.rank != root:
            self.mpi.Gatherv(rows, None, root)
            return None
        flat = np.empty(sum(counts), rows.dtype)
        self.mpi.Gatherv(rows, [flat, counts], root)
        return flat.reshape(-1, *rows.shape[1:])

    def allgather_rows(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n_r, ...) of all ranks, stacked in rank order, on every rank."""
        if self.size == 1:
            return rows
        rows = np.ascontiguousarray(rows)
        counts = self.mpi.allgather(rows.size)
        flat = np.empty(sum(counts), rows.dtype)
        self.mpi.Allgatherv(rows, [flat, counts])
        return flat.reshape(-1, *rows.shape[1:])

    def swap_rows(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Send parts[r] (n, ...) to rank r; return what each rank sent here, in rank order."""
        if self.size == 1:
            return list(parts)
        shape, dtype = parts[0].shape[1:], parts[0].dtype
        sent = [part.size for part in parts]
        received = self.mpi.alltoall(sent)
        flat = np.empty(sum(received), dtype)
        whole = np.concatenate([np.ascontiguousarray(part).reshape(-1) for part in parts])
        self.mpi.Alltoallv([whole, sent], [flat, received])
        return [piece.reshape(-1, *shape) for piece in np.split(flat, np.cumsum(received)[:-1])]

    def post(self, rows: np.ndarray, to: int, tag: int) -> Callable[[], None]:
        """Begin to send rows to another rank; call the result before they are changed, to wait until they are gone."""
        rows = np.ascontiguousarray(rows)
        request = self.mpi.Isend(rows, to, tag)
        return lambda: (rows, request.Wait())[1]

    def expect(self, shape: tuple[int, ...], dtype: Any, source: int, tag: int) -> Callable[[], np.ndarray]:
        """Begin to receive rows from another rank; call the result to wait for them and have them."""
        rows = np.empty(shape, dtype)
        request = self.mpi.Irecv(rows, source, tag)
        return lambda: (request.Wait(), rows)[1]

    def sum(self, chunks: np.ndarray, partials: np.ndarray) -> np.ndarray:
        """Sum of partials (n_r, ...) of all ranks, added in the order of their global chunk numbers.

        chunks: (n_r,) distinct integers. The order, and so every bit of the sum, is that of the
        chunks and not of the ranks (MPI_SUM promises no order).
        """
        where = self.allgather_rows(np.asarray(chunks, np.int64))
        terms = self.allgather_rows(np.asarray(partials))
        total = np.zeros(terms.shape[1:], terms.dtype)
        for place in np.argsort(where):
            total += terms[place]
        return total

    def sum_integers(self, values: np.ndarray) -> np.ndarray:
        """Sum over the ranks of integers of one shape on all of them: exact, so no order is needed."""
        if self.size == 1:
            return values
        total = np.empty_like(values)
        self.mpi.Allreduce(np.ascontiguousarray(values), total)
        return total

    def memory_kinds(self) -> str:
        """What memory MPI says that it may be given (MPI 4.1), "" where it says nothing."""
        info = self.mpi.Get_info() if self.mpi else {}
        return info.get("mpi_memory_alloc_kinds") or ""

    def min(self, value: float) -> float:
        """The least value over the ranks (exact, so no order is needed); NaN if it is so on one."""
        return float(np.min(self.allgather(value)))

    def all_here(self, patience: float) -> bool:
        """Whether every rank comes to this call within so many seconds."""
        if self.size == 1:
            return True
        arrival, until = self.mpi.Ibarrier(), time.monotonic() + patience
        while not arrival.Test():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def abort(self, code: int) -> None:
        """End every rank at once; returns where there is but this one."""
        if self.size > 1:
            self.mpi.Abort(code)

    @contextmanager
    def lead(self):
        """Run the block on rank 0; what it raises, every rank raises: `with comm.lead() as mine: if mine: ...`.

        A file operation that the system refuses there is a WriteError, a lack of memory a ShortageError.
        """
        error = None
        try:
            yield self.rank == 0
        except FlowError as caught:
            error = caught
        except Exception as caught:
            error = shortage.of(caught, self.rank, self.size) or _refused(caught)
            if error is None:
                raise
        error = self.bcast(error)
        if error is not None:
            raise error

    def led(self, work, *arguments):
        """What work(*arguments) returns on rank 0, on every rank, where it raises what `lead` does; collective."""
        found = None
        with self.lead() as mine:
            if mine:
                found = work(*arguments)
        return self.bcast(found)


def _refused(error: Exception) -> WriteError | None:
    """A file operation that the system refused, in one line; None for any other error."""
    if not isinstance(error, OSError):
        return None
    return WriteError(f"{error.filename or 'a file'}: {error.strerror}; mend that, then run the same line again")


@cache
def started() -> Comm:
    """All ranks that MPI sees. Raises InputError where the launcher and the MPI library do not match."""
    launcher = launched()
    try:
        mpi = _initialised()
    except (ImportError, RuntimeError) as missing:
        if launcher.size > 1:
            raise InputError(f"{launcher.name} started {launcher.size} ranks but {absent(missing)}") from missing
        return Comm()
    comm = Comm(mpi.COMM_WORLD)
    if wrong := mismatch(mpi.get_vendor()[0], mpi.Get_library_version(), comm.size):
        raise InputError(wrong)
    return comm


def _initialised():
    """mpi4py's MPI, started. Raises InputError before a library that the launcher does not know would kill the process."""
    import mpi4py

    mpi4py.rc.initialize, mpi4py.rc.finalize = False, True
    with warnings.catch_warnings():
        # mpi4py warns of a launcher that does not match; here that is an error with a cure.
        warnings.simplefilter("ignore", RuntimeWarning)
        from mpi4py import MPI

        if not MPI.Is_initialized():
            if wrong := foreign(MPI.get_vendor()[0], MPI.Get_library_version()):
                raise InputError(wrong)
            MPI.Init_thread(MPI.THREAD_MULTIPLE)
    return MPI


def library() -> str:
    """The MPI library that loads, in a few words; nothing is started."""
    try:
        import mpi4py

        mpi4py.rc.initialize = False
        from mpi4py import MPI
    except (ImportError, RuntimeError) as missing:
        return absent(missing)
    return version(MPI.Get_library_version())


@cache
def world() -> Comm:
    """All ranks of the job, which run the same mpiflow. Raises InputError as `started` does, and where they do not."""
    comm = started()
    if comm.size > 1:
        alike.check(comm, __version__, commit())
    return comm
