"""What a merge is: final labels of all points, the same on any number of ranks (HR 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.doors import trial
from mpiflow.errors import InputError
from mpiflow.settings.section import Named

if TYPE_CHECKING:
    from mpiflow.clustering.batches import Batches


class Merge(Named):
    """How clusters of mini-batches become those of all: `merge` is all that it needs; its fields are keys of its table.

    at_once: whether it takes all points as they are, so that nothing clusters the mini-batches before.
    """

    at_once: ClassVar[bool] = False

    def merge(self, batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Final labels (n_r,) int of 0..count-1, and the bytes that this rank received at each level. Collective.

        z: (n_r, n+1) complex, patch-scaled, and label: (n_r,) int32 within each mini-batch, those of this rank's batches.
        """
        raise NotImplementedError(
            f"clusters.merge = {self.name}: its class has no merge(self, batches, z, label, count); give it one"
        )

    def clusters(self, batches: Batches, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """As `merge`, labels int32, received (levels,) int64. Raises InputError where a user's gives no labels."""
        merged, received = self.merge(batches, z, label, count)
        if why := _wrong(np.asarray(merged), len(z), count):
            raise InputError(f'clusters.merge = "{self.name}": {why}')
        return np.asarray(merged, np.int32), np.asarray(received, np.int64)

    def tried(self, beside: dict) -> None:
        """Merge the clusters of a few points on one rank. Raises where they have no labels."""
        from mpiflow.clustering.batches import Batches
        from mpiflow.comm import Comm

        label = np.arange(12, dtype=np.int32) % 2
        merged, received = self.merge(Batches(Comm(), 12, 4), trial.points(beside), label, 2)
        if why := _wrong(np.asarray(merged), 12, 2):
            raise ValueError(why)
        if np.asarray(received).ndim != 1:
            raise ValueError("the bytes received must be a list with one number a level, e.g. [0]")


def _wrong(label: np.ndarray, points: int, count: int) -> str:
    if label.shape != (points,) or label.dtype.kind not in "iu":
        return f"merge of {points} points gives {label.dtype}{list(label.shape)}; it must give {points} integers"
    outside = label[(label < 0) | (label >= count)]
    return f"merge gives cluster {outside[0]}, where there are 0..{count - 1}" if len(outside) else ""
