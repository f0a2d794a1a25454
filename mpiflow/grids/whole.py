"""A grid that one rank has whole: the verbs by which spaces on slabs reach the rows of others (`ranks.slabs`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class Whole:
    """All rows of a grid whose axis 0 has `total` of them; of a spectrum, all `columns` of its axis 1."""

    def __init__(self, total: int, columns: int):
        self.total, self.rows, self.columns = total, slice(0, total), slice(0, columns)

    def turned(self, spectrum: np.ndarray) -> np.ndarray:
        """(own rows, all columns, ...) to (all rows, own columns, ...)."""
        return spectrum

    def returned(self, spectrum: np.ndarray) -> np.ndarray:
        """(all rows, own columns, ...) to (own rows, all columns, ...)."""
        return spectrum

    def gathered(self, u: np.ndarray) -> np.ndarray:
        """Components on the own rows, (c, own rows, ...), on all of them."""
        return u

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """The sum of numbers of each own row, (own rows, ...), added in the order of all rows."""
        return added(rows)

    def least(self, value: float, where: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        """The least of a value of each rank, and where it is."""
        return value, where


def added(rows: Iterable[np.ndarray]) -> np.ndarray:
    """A sum in the order of its terms."""
    total = 0.0
    for row in rows:
        total = total + row
    return total
