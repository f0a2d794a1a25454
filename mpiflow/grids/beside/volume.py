"""The factor that makes a kernel flow over a curved background local in the limit (HR 2.28)."""

from __future__ import annotations

import numpy as np

from mpiflow.grids.beside.beside import Beside


class Volume(Beside):
    """kernel.beside = "volume": h = |gbar|^(-1/4), and the volume form of gbar, the metric at the start, in place of dx."""

    name = "volume"

    def h(self, x: list[np.ndarray], volume: np.ndarray) -> np.ndarray:
        """|gbar|^(-1/4)."""
        return volume**-0.5

    def density(self, x: list[np.ndarray], volume: np.ndarray) -> np.ndarray:
        """|gbar|^(1/2)."""
        return volume
