"""What a linkage is: clusters of one mini-batch (HR 3.1), whoever holds it."""

from __future__ import annotations

import numpy as np

from mpiflow.clustering.partition import canonical
from mpiflow.doors import trial
from mpiflow.errors import InputError
from mpiflow.settings.section import Named


class Linkage(Named):
    """How clusters of a mini-batch grow: `label` is all that it needs; its fields are keys of the table [clusters.linkage]."""

    def label(self, z: np.ndarray, count: int) -> np.ndarray:
        """Clusters, numbered in any way: z (M, n+1) complex, patch-scaled, count <= M, to (M,) int of `count` values."""
        raise NotImplementedError(
            f"clusters.linkage = {self.name}: its class has no label(self, z, count); give it one"
        )

    def bytes(self, points: int) -> int:
        """Memory that so many points of a mini-batch take beyond a few numbers each."""
        return 0

    def clusters(self, z: np.ndarray, count: int) -> np.ndarray:
        """Clusters, numbered by their lowest member: (M,) int32. Raises InputError where they are not as many as asked for."""
        label = np.asarray(self.label(z, count))
        if why := _wrong(label, len(z), count):
            raise InputError(f'clusters.linkage = "{self.name}": {why}')
        return canonical(label)

    def tried(self, beside: dict) -> None:
        """Cluster a few points of P^n. Raises where they are not as many clusters as asked for."""
        z = trial.points(beside)
        for count in (1, 5, 12):
            if why := _wrong(np.asarray(self.label(z, count)), 12, count):
                raise ValueError(why)


def _wrong(label: np.ndarray, points: int, count: int) -> str:
    if label.shape != (points,) or label.dtype.kind not in "iu":
        return f"label of {points} points is {label.dtype}{list(label.shape)}; it must be {points} integers"
    found = len(np.unique(label))
    return f"{found} clusters of {points} points, where {count} were asked for" if found != count else ""
