"""The fixed binary tree over mini-batches: which meet at which level, and what ranks must send for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Join:
    """Batches [left, right) meet batches [right, stop); the clusters of both are numbered alike from then on."""

    left: int
    right: int
    stop: int

    def meets(self, batch: int) -> range:
        """Batches of the other side that a batch compares its members with.

        Of two batches that meet, one does the work: that of the left side where their numbers add up to an even one.
        """
        if not self.left <= batch < self.stop:
            return range(0)
        if batch < self.right:
            return range(self.right + (self.right + batch) % 2, self.stop, 2)
        return range(self.left + (self.left + batch + 1) % 2, self.right, 2)


def levels(batches: int) -> list[list[Join]]:
    """Joins of each level, leaves first: a tree that depends on the number of batches alone."""
    found, width = [], 1
    while width < batches:
        lefts = range(0, batches - width, 2 * width)
        found.append([Join(left, left + width, min(left + 2 * width, batches)) for left in lefts])
        width *= 2
    return found


def match(cost: np.ndarray) -> np.ndarray:
    """The cluster of the left side that each one of the right side joins: the one-to-one matching of least total cost.

    cost: (C, C) float64, left x right. Returns (C,) int32.
    """
    # Loaded where it is called: it takes longer than most small runs, and a run of one batch has nothing to match.
    from scipy.optimize import linear_sum_assignment

    left, right = linear_sum_assignment(cost)
    joins = np.empty(len(cost), np.int32)
    joins[right] = left
    return joins
