"""Random numbers of a training, each a function of (seed, purpose, number) alone, apart from those of the points."""

from __future__ import annotations

import numpy as np

#: Purposes: the first parameters, and the order of the points in an epoch.
PARAMETERS, ORDER = 1000, 1001


def generator(seed: int, purpose: int, number: int) -> np.random.Generator:
    """A generator of its own for every number."""
    return np.random.Generator(np.random.Philox(key=[seed, (purpose << 48) | number]))


def order(seed: int, epoch: int, total: int) -> np.ndarray:
    """The order in which an epoch takes the points: (total,) int64."""
    return generator(seed, ORDER, epoch).permutation(total)
