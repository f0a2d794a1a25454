"""The Ricci form of any Hermitian metric that is known near each point, Kaehler or not, by differences along X (theory 3)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from mpiflow.geometry.domain import Domain
from mpiflow.pointwise import Entries

#: Differences of fourth order with this step in a chart's coordinates: what they leave out is STEP^4 times six derivatives,
#: what a relative error of g leaves is that over STEP^2.
STEP = 1e-3


def metrics(d: int) -> int:
    """Metrics of each point that `ricci` asks for: two rings of four on each of d^2 complex lines, and its own."""
    return 8 * d**2 + 1


def ricci(
    surface: Domain, metric_at: Callable[[np.ndarray], np.ndarray], z: np.ndarray, chart: np.ndarray
) -> np.ndarray:
    """R_(a bbar) = -d_a d_bbar log det g, Chern's Ricci form, which is the Ricci tensor where g is Kaehler.

    metric_at: maps displaced points (N, C) complex, same charts, to metrics (N, d, d); where that is collective, so is this.
    z, chart: of the points. Returns (N, d, d) complex128, Hermitian; NaN where a metric nearby is not positive.
    """
    d = surface.dimension

    def height(v: np.ndarray) -> np.ndarray:
        """log(det g / |Omega|^2) of points that are displaced by v: the second has no mixed derivatives, and no chart."""
        moved = surface.displaced(z, chart, np.tile(v, (len(z), 1)))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(Entries.of(metric_at(moved)).determinant() / surface.omega2(moved, chart))

    def along(v: np.ndarray) -> np.ndarray:
        """v^a vbar^b d_a d_bbar of the height: a quarter of its Laplacian on the complex line of v."""
        near, far = (sum(height(k * STEP * turn * v) for turn in (1, 1j, -1, -1j)) for k in (1, 2))
        return (16 * near - far - 60 * middle) / (48 * STEP**2)

    unit, found = np.eye(d, dtype=np.complex128), np.zeros((len(z), d, d), np.complex128)
    middle = height(np.zeros(d, np.complex128))
    diagonal = [along(unit[a]) for a in range(d)]
    found[:, range(d), range(d)] = np.stack(diagonal, axis=1)
    for a, b in combinations(range(d), 2):
        # Polarised: e_a + e_b has twice the real part beside the diagonal, e_a - i e_b minus twice the imaginary one.
        both = diagonal[a] + diagonal[b]
        real, imaginary = along(unit[a] + unit[b]) - both, both - along(unit[a] - 1j * unit[b])
        found[:, a, b] = (real + 1j * imaginary) / 2
        found[:, b, a] = found[:, a, b].conj()
    return -found
