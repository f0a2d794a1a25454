"""The metric g_t = sum_i t_i g_i of a product of projective spaces on X, with its normal coordinates (theory 1).

In a frame every |z_i| = 1; the curve sigma(x) = z + E_a x^a + W_ab x^a x^b / 2 lies in X to second order, the E_a are
orthonormal in g_t and orthogonal to each z_i, and W_ab is normal to X in g_t. Then K = sum_i t_i log|sigma_i|^2 is
|x|^2 + K_(ac bbar dbar) x x xbar xbar / 4 + ..., without any other term of these orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.geometry import fubini_study, product_charts
from mpiflow.geometry.domain import Frame
from mpiflow.geometry.projective import norm2

if TYPE_CHECKING:
    from mpiflow.geometry.intersection import Intersection


@dataclass(frozen=True)
class ProductFrame(Frame):
    """root: (N, r, C) float64, sqrt t_i on the coordinates of factor i and 0 elsewhere: the same at every point."""

    root: np.ndarray

    @property
    def parts(self) -> np.ndarray:
        """The coordinates of each factor: (r, C) bool."""
        return self.root.any(0)

    def factors(self) -> list[tuple[np.ndarray, ...]]:
        """See `Frame.factors`. W is normal to X in g_t, not in each g_i: slopes cancel in the sum of the t_i K_i alone."""
        found = []
        for part in self.parts:
            e, w = self.vectors[:, part], self.bend[:, part]
            h = np.einsum("xca,xcb->xab", e, e.conj())
            sphere = np.einsum("xab,xcd->xacbd", h, h) + np.einsum("xad,xcb->xacbd", h, h)
            slope = np.einsum("xiac,xib->xacb", w, e.conj())
            found.append((part, h, slope, np.einsum("xiac,xibd->xacbd", w, w.conj()) - sphere))
        return found

    @property
    def quartic(self) -> np.ndarray:
        """K_(ac bbar dbar), (N, a, c, b, d) complex: minus the curvature of g_t (Gauss' equation)."""
        own = np.einsum("xic,xca,xcb->xiab", self.root, self.vectors, self.vectors.conj(), optimize=True)
        sphere = np.einsum("xiab,xicd->xacbd", own, own) + np.einsum("xiad,xicb->xacbd", own, own)
        # own has sqrt t_i where a metric has it once: the product of two has t_i.
        bend = self.bend * self.root.sum(1)[:, :, None, None]
        return np.einsum("xiac,xibd->xacbd", bend, bend.conj()) - sphere


def frame(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> ProductFrame:
    """Normal coordinates at points of X: z (N, C) complex, scaled. chart: (N, r + p) int, to which `lower` leads back."""
    jacobian = product_charts.jacobian(surface, z, chart)
    unit, horizontal = np.empty_like(z), np.empty_like(jacobian)
    for part in surface.parts:
        length = np.sqrt(norm2(z[:, part]))[:, None]
        unit[:, part] = z[:, part] / length
        along = unit[:, part].conj()[:, None, :] @ jacobian[:, part]
        horizontal[:, part] = (jacobian[:, part] - unit[:, part, None] * along) / length[:, None]
    t = np.array(surface.kaehler)[surface.member]
    lower = np.linalg.cholesky(horizontal.swapaxes(1, 2) @ (t[:, None] * horizontal.conj()))
    vectors = np.linalg.solve(lower, horizontal.swapaxes(1, 2)).swapaxes(1, 2)
    slopes = surface.slopes(unit)
    normal = slopes.conj().swapaxes(1, 2) / t[:, None]
    second = vectors.swapaxes(1, 2)[:, None] @ surface.bends(unit) @ vectors[:, None]
    along = np.linalg.solve(slopes @ normal, second.reshape(*second.shape[:2], surface.dimension**2))
    bend = -(normal @ along).reshape(*vectors.shape, vectors.shape[2])
    root = np.sqrt(surface.kaehler)[:, None] * (surface.member == np.arange(len(surface.sizes))[:, None])
    return ProductFrame(unit, vectors, bend, lower, np.broadcast_to(root, (len(z), *root.shape)))


def factors(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> list[np.ndarray]:
    """The Fubini-Study metric g_i of each factor in the chart: (N, d, d) complex, positive semidefinite."""
    jacobian = product_charts.jacobian(surface, z, chart)
    return [fubini_study.pulled_back(z[:, part], jacobian[:, part]) for part in surface.parts]


def reference(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """g_t in the chart: (N, d, d) complex, Hermitian."""
    return sum(t * g for t, g in zip(surface.kaehler, factors(surface, z, chart), strict=True))


def slope(surface: Intersection, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """d_c of g_t in the chart's coordinates: (N, c, a, b) complex."""
    jacobian = product_charts.jacobian(surface, z, chart)
    _, eliminated, _ = product_charts.split(surface, chart)
    minor = np.take_along_axis(surface.slopes(z), eliminated[:, None, :], 2)
    second = jacobian.swapaxes(1, 2)[:, None] @ surface.bends(z) @ jacobian[:, None]
    bend = np.zeros((*jacobian.shape, surface.dimension), np.complex128)
    bend[np.arange(len(z))[:, None], eliminated] = -np.linalg.solve(
        minor, second.reshape(*second.shape[:2], surface.dimension**2)
    ).reshape(second.shape)
    parts = zip(surface.kaehler, surface.parts, strict=True)
    return sum(t * fubini_study.third(z[:, part], jacobian[:, part], bend[:, part]) for t, part in parts)
