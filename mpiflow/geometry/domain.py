"""What a manifold is to all that computes on it: points, charts, forms and metrics, as arrays.

Nothing outside this room knows what X is made of. A chart is a row of small integers that the manifold alone reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from mpiflow.geometry.symmetry import Symmetry


#: Relative difference within which a weight is the form: files are believed to 1e-6.
_SAME = 1e-5


@dataclass(frozen=True)
class Points:
    """Points of X with what the measures need; axis 0 is the point.

    z: (N, C) complex, homogeneous coordinates as `Domain.scaled`. chart: (N, w) int8. weight: (N,) float64, so
    that averages with it are averages over Omega ^ Omegabar. omega2: (N,) float64, |Omega|^2 in the chart.
    """

    z: np.ndarray
    chart: np.ndarray
    weight: np.ndarray
    omega2: np.ndarray

    def __len__(self) -> int:
        return len(self.z)

    def map(self, change) -> Points:
        """The same change applied to every column: `points.map(lambda rows: rows[order])`."""
        return Points(*(change(getattr(self, field.name)) for field in fields(self)))


@dataclass(frozen=True)
class Frame:
    """Normal coordinates of g_FS at N points, in which no formula knows its chart (`frames`).

    z: (N, C) complex, |z| = 1. vectors: (N, C, d) complex, E. bend: (N, C, d, d) complex, W.
    lower: (N, d, d) complex, lower triangular: a metric g_E of the frame is L g_E L^dagger in the chart.
    """

    z: np.ndarray
    vectors: np.ndarray
    bend: np.ndarray
    lower: np.ndarray

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, rows) -> Frame:
        """The frame of some of the points."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def parts(self) -> np.ndarray:
        """The coordinates of each projective space around X: (r, C) bool."""
        return np.ones((1, self.z.shape[1]), bool)

    def factors(self) -> list[tuple[np.ndarray, ...]]:
        """Of each space its coordinates (C,) bool, and derivatives of K_i = log|z_i|^2: K_(a bbar), (N, a, b), K_(ac bbar),
        (N, a, c, b), and K_(ac bbar dbar), (N, a, c, b, d); all complex, and no others but their conjugates.
        """
        d = self.vectors.shape[2]
        metric, slope = np.broadcast_to(np.eye(d), self.lower.shape), np.zeros((len(self), d, d, d), np.complex128)
        return [(self.parts[0], metric, slope, self.quartic)]

    @property
    def quartic(self) -> np.ndarray:
        """K_(ac bbar dbar), (N, a, c, b, d) complex: minus the curvature of g_FS (Gauss' equation)."""
        one = np.eye(self.vectors.shape[2])
        sphere = np.einsum("ab,cd->acbd", one, one) + np.einsum("ad,cb->acbd", one, one)
        return np.einsum("xiac,xibd->xacbd", self.bend, self.bend.conj()) - sphere


def followed(points: Points, form: np.ndarray) -> np.ndarray:
    """A form (N,) as `Domain.form` has it: the very weight, to its last bit, where points follow the volume of g_FS."""
    return np.where(np.abs(points.weight - form) <= _SAME * form, points.weight, form)


class Domain(Protocol):
    """A Calabi-Yau manifold X of complex dimension d with C homogeneous coordinates, and its Fubini-Study metric g_FS.

    volume: the integral of (i/2pi d dbar K)^d, a whole number for a Kaehler class that is one. points_a_cut: the points of
    X on one random cut, which are not independent of each other. cuts: of one chunk, the unit of random numbers, fixed for
    ever, since it decides which points a seed gives. chart_count: how many charts there are. symmetry:
    what leaves X alone, for invariant features; raises InputError where none is known.
    """

    coordinates: int
    dimension: int
    volume: float
    points_a_cut: int
    cuts: int
    chart_count: int
    symmetry: Symmetry

    def draw(self, generator: np.random.Generator, cuts: int, chart=None) -> Iterator[Points]:
        """Points on so many random cuts, in their order, some at a time; of one chart alone where it is given.

        All that is random is drawn at once: the same generator gives the same points. Where they follow the volume of g_FS the
        weight is the form; else it is the form over the density that they follow.
        """

    def described(self, z: np.ndarray, chart: np.ndarray | None = None) -> Points:
        """Points with chart (the best one, where none is given), weight and |Omega|^2 from their coordinates alone."""

    def abroad(self, z: np.ndarray) -> tuple[np.ndarray, Iterable[np.ndarray]]:
        """Scaled points (N, C) as cymetric has them: charts (N, w), of its |Omega|^2 and pull-backs, and weights (N,) by each
        measure that it may draw points with, up to a factor, the own measure first.
        """

    def form(self, points: Points) -> np.ndarray:
        """|Omega|^2 / det g_FS, the same in every chart: (N,) float64."""

    def scaled(self, z: np.ndarray) -> np.ndarray:
        """Homogeneous coordinates of any scale (N, C) as the best charts have them. Raises InputError for what is no point."""

    def off(self, z: np.ndarray) -> np.ndarray:
        """How far points are from X: the largest equation, whatever the scale of z, (N,) float64; rounding on X."""

    def chart_of(self, z: np.ndarray) -> np.ndarray:
        """The best-conditioned chart of each point: (N, C) to (N, w) int8."""

    def second_chart_of(self, z: np.ndarray) -> np.ndarray:
        """The best chart that has other coordinates scaled to one: (N, C) to (N, w) int8."""

    def in_chart(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """Points scaled as given charts have them: (N, C) complex."""

    def displaced(self, z: np.ndarray, chart: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Points of X whose local coordinates differ by a step (N, d), small. Raises NumericalError where there are none."""

    def shaken(self, z: np.ndarray, chart: np.ndarray, noise: np.ndarray, project: bool) -> np.ndarray:
        """Points moved by noise (N, C) in their chart, and, to project, brought back onto X along the normal: (N, C)."""

    def jacobian(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """dz/dx of the local coordinates: (N, C, d) complex."""

    def transition(self, z: np.ndarray, chart: np.ndarray, other: np.ndarray) -> np.ndarray:
        """T = dx/dy from coordinates x of a chart to y of another: g_y = T^T g_x conj(T). Returns (N, d, d) complex."""

    def omega2(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """|Omega|^2 in the chart: (N,) float64."""

    def reference(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g_FS in the chart: (N, d, d) complex, Hermitian."""

    def reference_slope(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """d_c of g_FS in the chart: (N, c, a, b) complex."""

    def frame(self, z: np.ndarray, chart: np.ndarray) -> Frame:
        """Normal coordinates of g_FS, with the way back to the chart."""

    def embedded(self, z: np.ndarray) -> np.ndarray:
        """X in one projective space, where clusters and kernels of distances live: (N, C) to (N, M+1) complex."""

    def singular_point(self) -> np.ndarray | None:
        """A singular point, or None where a search finds none."""
