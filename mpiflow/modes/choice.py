"""Which engine applies a kernel: decided by the kernel, the sizes and the budget alone, so that all ranks agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow import backend as backends
from mpiflow.engine.neighbours import kept_fraction
from mpiflow.errors import InputError
from mpiflow.kernels.kernel import Kernel
from mpiflow.modes import MODES
from mpiflow.modes.mode import Mode, Question

#: Bytes that resident tiles may take where the run file says nothing: all targets and ranks together.
BUDGET = 2**30


def choose(
    kernel: Kernel,
    n_targets_total: int,
    n_sources_total: int,
    *,
    mode: Mode | str = "auto",
    precision="float64",
    budget=BUDGET,
    kept: Callable[[], float] = lambda: 1.0,
    square=False,
) -> Mode:
    """What a mode comes to, which is itself but for "auto".

    kept: gives `kept_fraction` of a sample that is the same on all ranks; left out, no cut-off is chosen. square: whether the
    targets are all of the sources, on a CPU, so that each pair need be computed but once.
    Raises InputError for an unknown mode or precision, or an engine that cannot apply the kernel.
    """
    if precision not in ("float32", "float64"):
        raise InputError(f'run.precision = "{precision}": tiles are "float32" or "float64"')
    size = kernel.copies * n_targets_total * n_sources_total * np.dtype(precision).itemsize
    try:
        chosen = MODES.made(mode).chosen(Question(kernel, size, budget, kept, square))
    except ValueError as error:
        raise InputError(f"engine.mode{error}") from None
    if why := chosen.complaint(kernel):
        raise InputError(f'engine.mode = "{chosen.name}": {why}')
    return chosen


def build(kernel: Kernel, targets, sources, *, mode: Mode | str = "auto", precision="float64", backend="cpu"):
    """An engine with apply(v) and bytes for u = K(targets, sources) v.

    targets: (N, n+1), sources: (M, n+1) complex128, patch-scaled. "auto" looks at these arrays alone: where targets
    are a rank's share, resolve it by `choose` from global sizes and pass the answer. Neighbours stay on the CPU.
    A flow whose mode is "symmetric" streams its kernel to all targets but its own.
    """
    if not len(sources):
        raise InputError("engine: there are no source points; a kernel needs at least one train point")
    # Contiguous, since numpy sums the coordinates of a point in an order that depends on the strides.
    targets, sources = (np.ascontiguousarray(points, complex) for points in (targets, sources))
    sizes = len(targets), len(sources)
    chosen = choose(
        kernel, *sizes, mode=mode, precision=precision, kept=lambda: kept_fraction(kernel, sources, precision)
    )
    return chosen.build(kernel, targets, sources, precision, backends.device(backend))
