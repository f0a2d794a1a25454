"""Symmetric d x d matrices at grid points, by their components i <= j, row by row: (d(d+1)/2, ...) float64, d = 2 or 3."""

from __future__ import annotations

import numpy as np


def components(d: int) -> int:
    """Numbers of a matrix."""
    return d * (d + 1) // 2


def dimension(g: np.ndarray) -> int:
    """d of an array of matrices."""
    return {3: 2, 6: 3}[len(g)]


def pairs(d: int) -> list[tuple[int, int]]:
    """(i, j) of each component."""
    return [(i, j) for i in range(d) for j in range(i, d)]


def places(d: int) -> np.ndarray:
    """The component of i and j, whichever comes first: (d, d) int."""
    found = np.zeros((d, d), int)
    rows, columns = np.triu_indices(d)
    found[rows, columns] = found[columns, rows] = np.arange(len(rows))
    return found


def unit(shape: tuple[int, ...], d: int) -> np.ndarray:
    """The identity at every point of a grid."""
    ones = [np.full(shape, float(i == j)) for i, j in pairs(d)]
    return np.stack(ones)


def inverse(g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g^-1 and det g: (c, ...) and (...)."""
    if dimension(g) == 2:
        a, b, c = g
        determinant = a * c - b * b
        return np.stack([c, -b, a]) / determinant, determinant
    a, b, c, e, f, h = g
    minors = np.stack([e * h - f * f, c * f - b * h, b * f - c * e, a * h - c * c, b * c - a * f, a * e - b * b])
    determinant = a * minors[0] + b * minors[1] + c * minors[2]
    return minors / determinant, determinant


def raised(inverted: np.ndarray, e: np.ndarray) -> np.ndarray:
    """E^ij = g^ik g^jl E_kl of g^-1 and E_kl."""
    d = dimension(e)
    at, every = places(d), range(d)
    half = [[sum(inverted[at[i][k]] * e[at[k][j]] for k in every) for j in every] for i in every]
    return np.stack([sum(half[i][k] * inverted[at[k][j]] for k in every) for i, j in pairs(d)])


def trace(inverted: np.ndarray, e: np.ndarray) -> np.ndarray:
    """g^ij E_ij: (...)."""
    d = dimension(e)
    return sum((1 if i == j else 2) * inverted[c] * e[c] for c, (i, j) in enumerate(pairs(d)))


def least(g: np.ndarray) -> np.ndarray:
    """The least eigenvalue at each point, in closed form: to 1e-8 of the largest."""
    if dimension(g) == 2:
        a, b, c = g
        return (a + c) / 2 - np.sqrt(((a - c) / 2) ** 2 + b * b)
    a, b, c, e, f, h = g
    mean = (a + e + h) / 3
    a, e, h = a - mean, e - mean, h - mean
    size = np.sqrt((a * a + e * e + h * h + 2 * (b * b + c * c + f * f)) / 6)
    determinant = a * (e * h - f * f) - b * (b * h - c * f) + c * (b * f - c * e)
    cosine = determinant / np.where(size > 0, 2 * size**3, 1.0)
    return mean + 2 * size * np.cos(np.arccos(np.clip(cosine, -1, 1)) / 3 + 2 * np.pi / 3)


def matrix(g: np.ndarray) -> np.ndarray:
    """The matrix of one point: (c,) to (d, d)."""
    return g[places(dimension(g))]
