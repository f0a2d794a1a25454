"""Intersection numbers of a complete intersection in a product of projective spaces, from its degrees alone."""

from __future__ import annotations

from itertools import product
from math import comb, factorial, prod

import numpy as np


def types(ambient: tuple[int, ...], degrees: tuple[tuple[int, ...], ...]) -> dict[tuple[int, ...], int]:
    """kappa_c, the integral of prod_i J_i^c_i over X, for each c = (c_1 .. c_r) of sum d, where it is not 0.

    ambient: the n_i. degrees: (p, r), of each equation in each factor.
    """
    d = sum(ambient) - len(degrees)
    top = np.zeros([n + 1 for n in ambient], np.int64)
    top[(0,) * len(ambient)] = 1
    for row in degrees:
        top = sum(q * _raised(top, i) for i, q in enumerate(row))
    every = (c for c in product(*(range(n + 1) for n in ambient)) if sum(c) == d)
    found = {c: int(top[tuple(n - k for n, k in zip(ambient, c, strict=True))]) for c in every}
    return {c: number for c, number in found.items() if number}


def volume(numbers: dict[tuple[int, ...], int], kaehler: tuple[float, ...]) -> float:
    """The integral of (sum_i t_i J_i)^d."""
    return float(
        sum(multinomial(c) * k * prod(t**e for t, e in zip(kaehler, c, strict=True)) for c, k in numbers.items())
    )


def functions(ambient: tuple[int, ...], degrees: tuple[tuple[int, ...], ...], multidegree: tuple[int, ...]) -> int:
    """Independent polynomials of a multidegree >= 1 modulo the equations, by inclusion and exclusion: Koszul's complex."""
    total = 0
    for chosen in product((0, 1), repeat=len(degrees)):
        used = [sum(row[i] for row, taken in zip(degrees, chosen, strict=True) if taken) for i in range(len(ambient))]
        left = [m - q for m, q in zip(multidegree, used, strict=True)]
        if min(left) >= 0:
            total += (-1) ** sum(chosen) * prod(comb(m + n, n) for m, n in zip(left, ambient, strict=True))
    return total


def multinomial(c: tuple[int, ...]) -> int:
    """(sum c)! / prod c_i!."""
    return factorial(sum(c)) // prod(map(factorial, c))


def disconnected(ambient: tuple[int, ...], degrees: tuple[tuple[int, ...], ...]) -> tuple[int, ...] | None:
    """Factors that their own equations cut down to several points, or to none; None where there are no such ones."""
    for chosen in product((False, True), repeat=len(ambient)):
        inside = [i for i, taken in enumerate(chosen) if taken]
        own = [row for row in degrees if any(row) and not any(q for i, q in enumerate(row) if i not in inside)]
        if inside and len(own) >= sum(ambient[i] for i in inside):
            return tuple(inside)
    return None


def _raised(numbers: np.ndarray, axis: int) -> np.ndarray:
    """Times J_axis."""
    shifted = np.roll(numbers, 1, axis=axis)
    shifted[(slice(None),) * axis + (0,)] = 0
    return shifted
