"""What users of Python give as numbers and as points: taken in any kind, and refused in one line."""

from __future__ import annotations

import operator

import numpy as np

from mpiflow.errors import InputError
from mpiflow.settings.problem import LEAST_POINTS, MOST_POINTS, SEEDS, WHY_NOT_ONE


def whole(name: str, number: object) -> int:
    """A whole number of any kind as an int. Raises InputError for what is none."""
    try:
        return operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{name} = {number!r}: must be a whole number") from None


def fresh(count: object, seed: object) -> tuple[int, int]:
    """A number of fresh points, and their seed. Raises InputError for what are none."""
    count, seed = whole("points", count), whole("seed", seed)
    if count < LEAST_POINTS:
        raise InputError(f"points = {count}: must be at least {LEAST_POINTS}; {WHY_NOT_ONE}")
    if count > MOST_POINTS:
        raise InputError(f"points = {count}: must be at most {MOST_POINTS:g}; 2000 are a good start")
    if not 0 <= seed < SEEDS:
        raise InputError(f"seed = {seed}: must be from 0 to 2^63 - 1; 7 is as good as any")
    return count, seed


def points(z: object, width: int) -> np.ndarray:
    """Homogeneous coordinates (N, width), finite, from numbers of any kind and scale; one point may be given as a row.

    Raises InputError for what are no numbers.
    """
    wanted = f"it must be finite numbers, (N, {width})"
    try:
        given = np.asarray(z)
        # Texts and dates would be converted, and hidden values believed.
        if given.dtype.kind in "USMmV" or np.ma.is_masked(z):
            raise TypeError(f"it holds {'masked values' if np.ma.is_masked(z) else given.dtype}")
        found = given.astype(np.complex128)
    except (TypeError, ValueError) as error:
        raise InputError(f"z is a {type(z).__name__} and no array of numbers ({error}): {wanted} complex") from None
    found = found.reshape(0, width) if found.shape == (0,) else np.atleast_2d(found)
    if found.ndim != 2 or found.shape[1] != width or not np.isfinite(found).all():
        raise InputError(f"z of shape {given.shape}: {wanted} complex")
    return found
