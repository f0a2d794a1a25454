"""Points on which a user's class is tried, before any work."""

from __future__ import annotations

import numpy as np

from mpiflow import streams


def points(beside: dict, number: int = 12) -> np.ndarray:
    """Patch-scaled points of P^n, always the same ones: (number, n+1) complex; n of the manifold beside, or 4.

    They cannot be written to: what changes its arguments would change the points of the run.
    """
    n = beside["manifold"].coordinates - 1 if "manifold" in beside else 4
    rng = streams.same()
    z = rng.normal(size=(number, n + 1)) + 1j * rng.normal(size=(number, n + 1))
    z /= z[np.arange(number), np.abs(z).argmax(1)][:, None]
    z.flags.writeable = False
    return z
