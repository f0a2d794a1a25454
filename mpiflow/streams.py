"""Every random number there is: what it is for, and what alone it depends on. No other file makes a generator.

Numbers that belong to a run are functions of (seed, stream, number), so that no rank and no restart changes them. The
numbers here are fixed for ever: they decide which points a seed gives.
"""

from __future__ import annotations

import numpy as np

#: Streams of points: disjoint, so that no two purposes share a point. TRAIN, TEST: of a run. EVALUATE: fresh ones on which
#: a metric is measured, or a machine timed. NOISE: displacements of points of another stream. BASIS: what features are
#: chosen on, always of seed 0.
TRAIN, TEST, EVALUATE, NOISE, BASIS = range(5)
#: Streams of a training: the first parameters of a network, and the order of the points in an epoch.
PARAMETERS, ORDER = 1000, 1001
#: The units of networks whose kernel is known: a block of a network each.
UNITS = 1002


def generator(seed: int, stream: int, number: int) -> np.random.Generator:
    """The generator of a number of a stream: of a chunk of points, of an epoch. number < 2^48."""
    return np.random.Generator(np.random.Philox(key=[seed, (stream << 48) | int(number)]))


def noise(seed: int, stream: int, number: int) -> np.random.Generator:
    """What displaces a copy, in a stream of points, of one point."""
    return generator(seed, 16 * NOISE + stream, number)


def coefficients(seed: int) -> np.random.Generator:
    """The coefficients of an equation without symmetry; seed: that of its manifold."""
    return np.random.default_rng(seed)


def modes(seed: int) -> np.random.Generator:
    """The modes of a metric on a torus; seed: that of its manifold."""
    return np.random.default_rng(seed)


def batch(seed: int) -> np.random.Generator:
    """The grid points that a flow on a torus is summed over; seed: that of its kernel."""
    return np.random.default_rng(seed)


def study(seed: int, place: int) -> int:
    """A seed for every place of a study: the run.seed of its trial, and (of seed + 1) that of what proposes it."""
    return int(np.random.SeedSequence([seed, place]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def starts(trial: int) -> np.random.Generator:
    """The first centres of one of several trials of k-means."""
    return np.random.Generator(np.random.Philox(key=trial))


def sample(total: int) -> np.random.Generator:
    """The points out of so many by which the quality of clusters is judged."""
    return np.random.Generator(np.random.Philox(key=total))


def same() -> np.random.Generator:
    """Always the same numbers, for what any would do: starts of a search for singular points, signs that estimate a trace,
    points on which a user's own kernel is tried."""
    return np.random.default_rng(0)
