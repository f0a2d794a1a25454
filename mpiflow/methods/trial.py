"""Whether a kernel of a user's is one, tried on a few points before any work; and what is wrong with it, in one line."""

from __future__ import annotations

import numpy as np

from mpiflow import streams
from mpiflow.kernels.kernel import Kernel

#: How the modules of users' files are called.
MODULE = "mpiflow_own_"
#: Characters of a complaint about one.
_TOLD = 300


def trial(kernel: Kernel, n: int) -> None:
    """Try a user's kernel on a few points of P^n. Raises ValueError in one line where it gives no kernel."""
    rng = streams.same()
    z = rng.normal(size=(12, n + 1)) + 1j * rng.normal(size=(12, n + 1))
    z /= z[np.arange(12), np.abs(z).argmax(1)][:, None]
    try:
        tile, reach = kernel.tile(z[:5], z[3:], np), kernel.reach(1e-3)
        found = np.asarray(tile)
        if found.shape != (5, 9) or found.dtype.kind != "f":
            raise ValueError(f"tile of 5 and 9 points is {found.dtype}{list(found.shape)}; it must be float64[5, 9]")
        if not np.isfinite(found).all():
            raise ValueError(f"tile is {found[~np.isfinite(found)][0]} at some pair of points; it must be finite")
        if reach is not None and not 0 <= reach < np.inf:
            raise ValueError(
                f"reach(1e-3) = {reach}: it must be a distance, or None where the kernel is felt everywhere"
            )
        if (kernel.symmetric or kernel.sparse) and kernel.on_arrays:
            raise ValueError("symmetric and sparse kernels need a profile; leave both out")
    except (Exception, SystemExit) as error:
        raise wrong(kernel.name, told(error)) from None


def wrong(name: str, why: str) -> ValueError:
    """A complaint about a kernel of a user's, for the run file."""
    return ValueError(f'name = "{name}": {why}')


def told(error: BaseException) -> str:
    """An error of a user's code in one line, with the line of their file where it came up."""
    trace, line = error.__traceback__, getattr(error, "lineno", None)
    while trace:
        if trace.tb_frame.f_globals.get("__name__", "").startswith(MODULE):
            line = trace.tb_lineno
        trace = trace.tb_next
    words = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    kind = f"{type(error).__name__}: " if line or not isinstance(error, ValueError) else ""
    return f"{kind}{words}"[:_TOLD] + (f" (line {line})" if line else "")
