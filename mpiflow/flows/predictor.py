"""What every predictor answers: the metric; and of a potential what only that has."""

from __future__ import annotations

import numpy as np

from mpiflow.errors import InputError
from mpiflow.ranks.shards import Layout


class Predictor:
    """A metric that is known at every point. continuous: whether it has derivatives. has_potential: and a potential."""

    continuous: bool
    has_potential = False

    def metric(self, targets: Layout, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g at targets in the given charts: z (n_r, C), chart (n_r, w) to (n_r, d, d) complex128; collective."""
        raise NotImplementedError

    def potential(self, z: np.ndarray) -> np.ndarray:
        """phi of g = g_FS + d dbar phi, up to a constant: (N, C) to (N,). Raises InputError where there is none."""
        raise _missing("potential")

    def ricci(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """R_(a bbar) in the given charts: (N, d, d) complex. Raises InputError without a potential."""
        raise _missing("ricci")

    def curvature(self, z: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and R_(a bbar c dbar) in frames with g_FS = 1. Raises InputError without a potential."""
        raise _missing("curvature")


def _missing(name: str) -> InputError:
    return InputError(f'{name}: this run has no potential to derive it from; kernel.name = "kaehler" has one')
