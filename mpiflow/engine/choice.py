"""Which engine applies a kernel: decided by the kernel, the sizes and the budget alone, so that all ranks agree."""

from __future__ import annotations

import numpy as np

from mpiflow import backend as backends
from mpiflow.engine.device import DeviceResident, DeviceStreamed
from mpiflow.engine.formula import Formula, KeptFormula
from mpiflow.engine.halves import Halves
from mpiflow.engine.neighbours import CutOff, Nearest, felt_everywhere, kept_fraction
from mpiflow.engine.resident import Resident
from mpiflow.engine.streamed import Streamed
from mpiflow.engine.symmetric import Symmetric
from mpiflow.errors import InputError
from mpiflow.kernels.kernel import Kernel

#: Bytes that resident tiles may take where the run file says nothing: all targets and ranks together.
BUDGET = 2**30
#: A cut-off pays while it keeps fewer pairs than this; beyond, its lists outgrow memory.
KEPT = 0.05

MODES = ("auto", "resident", "streamed", "symmetric", "neighbours")


def choose(
    kernel: Kernel,
    n_targets_total: int,
    n_sources_total: int,
    *,
    mode="auto",
    precision="float64",
    budget=None,
    kept=1.0,
    square=False,
) -> str:
    """The engine's name that "auto" means; any other mode is returned as it is, once checked.

    kept: `kept_fraction` of a sample that is the same on all ranks; left out, no cut-off is chosen. square: whether the
    targets are all of the sources, on a CPU, so that each pair need be computed but once.
    Raises InputError for an unknown mode or precision, or an engine that cannot apply the kernel.
    """
    _check(kernel, mode, precision)
    if mode != "auto":
        return mode
    if kernel.nearest or (kernel.sparse and kept < KEPT):
        return "neighbours"
    size = kernel.copies * n_targets_total * n_sources_total * np.dtype(precision).itemsize
    if size <= (BUDGET if budget is None else budget):
        return "resident"
    return "symmetric" if square and kernel.symmetric else "streamed"


def build(kernel: Kernel, targets, sources, *, mode="auto", precision="float64", backend="cpu", budget=None):
    """An engine with apply(v), name, bytes and flops for u = K(targets, sources) v.

    targets: (N, n+1), sources: (M, n+1) complex128, patch-scaled. "auto" looks at these arrays alone: where targets
    are a rank's share, resolve it by `choose` from global sizes and pass the answer. Neighbours stay on the CPU.
    A flow whose engine is "symmetric" (`Symmetric`) streams its kernel to all targets but its own.
    """
    if not len(sources):
        raise InputError("engine: there are no source points; a kernel needs at least one train point")
    # Contiguous, since numpy sums the coordinates of a point in an order that depends on the strides.
    targets, sources = (np.ascontiguousarray(points, complex) for points in (targets, sources))
    if mode == "auto":
        kept = kept_fraction(kernel, sources, precision) if kernel.sparse else 1.0
        mode = choose(kernel, len(targets), len(sources), precision=precision, budget=budget, kept=kept)
    _check(kernel, mode, precision)
    mode = "streamed" if mode == "symmetric" else mode
    gpu = backends.device(backend)
    if kernel.on_arrays:
        streamed = Halves if kernel.halves else Formula
        return {"resident": KeptFormula, "streamed": streamed}[mode](kernel, targets, sources, precision, gpu)
    if gpu is not backends.HOST and mode != "neighbours":
        return {"resident": DeviceResident, "streamed": DeviceStreamed}[mode](kernel, targets, sources, precision, gpu)
    return _on_the_host(kernel, mode)(kernel, targets, sources, precision)


def holds(kernel: Kernel, mode: str, n: int, shape: tuple[int, int], precision: str, kept: float = 1.0) -> int:
    """About the bytes between steps of the engine of a mode for so many targets and sources in P^n, wherever it is."""
    return _on_the_host(kernel, mode).holds(kernel, n, shape, precision, kept)


def _on_the_host(kernel: Kernel, mode: str) -> type:
    if kernel.on_arrays:
        return {"resident": KeptFormula}.get(mode, Formula)
    engines = {"resident": Resident, "streamed": Streamed, "symmetric": Symmetric, "neighbours": CutOff}
    return Nearest if kernel.nearest else engines[mode]


def _check(kernel: Kernel, mode: str, precision: str) -> None:
    if mode not in MODES:
        raise InputError(f'engine.mode = "{mode}": no such engine; one of {", ".join(MODES)}')
    if precision not in ("float32", "float64"):
        raise InputError(f'run.precision = "{precision}": tiles are "float32" or "float64"')
    if kernel.nearest and mode not in ("auto", "neighbours"):
        raise InputError(
            f'engine.mode = "{mode}": the {kernel.name} kernel is a search, not a tile; use "neighbours" or "auto"'
        )
    if mode == "neighbours" and not kernel.nearest and (not kernel.sparse or felt_everywhere(kernel)):
        raise InputError(
            f'engine.mode = "neighbours": the {kernel.name} kernel is felt everywhere; use "streamed" or "auto"'
        )
