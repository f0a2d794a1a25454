"""Calabi-Yau hypersurfaces Q = 0 of degree n+1 in P^n (theory 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mpiflow.errors import InputError
from mpiflow.geometry import charts, frames, fubini_study
from mpiflow.geometry.domain import Points, followed
from mpiflow.geometry.lines import meet
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.geometry.projective import norm2
from mpiflow.geometry.singular import singular_point
from mpiflow.geometry.symmetry import Symmetry, symmetry_of

# Lines solved at a time: few enough that their points stay in the cache until they are put away.
_BLOCK = 1000


@dataclass(frozen=True)
class Hypersurface(Polynomial):
    """X = {Q(z) = 0}, a `Domain`; a chart is (i, j), the coordinate scaled to one and the one eliminated (`charts`).

    exponents: (T, n+1) int, each row summing to n+1 (the Calabi-Yau condition). coefficients: (T,) complex.
    Raises InputError for another degree, too few variables, or no term at all.
    """

    def __post_init__(self):
        exponents = np.atleast_2d(np.asarray(self.exponents, np.int64))
        coefficients = np.atleast_1d(np.asarray(self.coefficients, np.complex128))
        if len(exponents) != len(coefficients):
            raise InputError(
                f"manifold.coefficients: {len(coefficients)} for {len(exponents)} monomials: give one a monomial"
            )
        degree = exponents.shape[1]
        bad = np.flatnonzero((exponents.sum(1) != degree) | (exponents < 0).any(1))
        if len(bad):
            raise InputError(
                f"manifold.monomials = {exponents[bad[0]].tolist()}: degree {exponents[bad[0]].sum()} in P^{degree - 1} "
                f"is not Calabi-Yau; the {degree} exponents must be >= 0 and sum to {degree}"
            )
        if not 3 <= degree <= 6:
            raise InputError(f"manifold: P^{degree - 1} is not supported: the ambient dimension is 2, 3, 4 or 5")
        if not np.isfinite(coefficients).all() or not coefficients.any():
            raise InputError("manifold.coefficients: must be finite and not all zero")
        object.__setattr__(self, "exponents", exponents)
        object.__setattr__(self, "coefficients", coefficients)

    @property
    def dimension(self) -> int:
        """Complex dimension d = n - 1 of X."""
        return self.coordinates - 2

    @property
    def volume(self) -> int:
        """The integral of J^d over X, which is its degree n + 1."""
        return self.degree

    @property
    def points_a_cut(self) -> int:
        """A line meets X in as many points as Q has roots."""
        return self.degree

    @property
    def cuts(self) -> int:
        """Lines of one chunk of random numbers."""
        return 2000

    @property
    def chart_count(self) -> int:
        """Pairs (i, j)."""
        return self.coordinates * (self.coordinates - 1)

    @property
    def symmetry(self) -> Symmetry:
        """What leaves Q alone; raises InputError where that is not as much as invariant features need."""
        return symmetry_of(self)

    def draw(self, generator: np.random.Generator, cuts: int, chart=None) -> Iterator[Points]:
        """The points in which random lines meet X, line by line: they follow the volume of g_FS (theory 2)."""
        ends = generator.standard_normal((2, cuts, self.coordinates, 2)).view(np.complex128)[..., 0]
        for start in range(0, cuts, _BLOCK):
            z, own, slope2 = meet(self, *ends[:, start : start + _BLOCK], chart)
            yield _weighted(z, own, slope2)

    def described(self, z: np.ndarray, chart: np.ndarray | None = None) -> Points:
        """Points with chart (the best one, where none is given), weight and |Omega|^2 from their coordinates alone."""
        chart = self.chart_of(z) if chart is None else chart
        gradient = self.gradient(z)
        return _weighted(z, chart, gradient.real**2 + gradient.imag**2)

    def abroad(self, z: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Charts and weights as cymetric has them: ours."""
        p = self.described(z)
        return p.chart, [p.weight]

    def form(self, points: Points) -> np.ndarray:
        """|Omega|^2 / det g_FS, which is the weight of points on lines."""
        return followed(points, self.described(points.z, points.chart).weight)

    def off(self, z: np.ndarray) -> np.ndarray:
        """|Q| / |z|^(n+1): (N, n+1) complex, of any scale, to (N,) float64."""
        return np.abs(self.value(z)) / norm2(z) ** (self.degree / 2)

    def reference(self, z: np.ndarray, chart: np.ndarray) -> np.ndarray:
        """g_FS in the chart: (N, d, d) complex, Hermitian."""
        return fubini_study.pulled_back(z, self.jacobian(z, chart))

    def embedded(self, z: np.ndarray) -> np.ndarray:
        """The points themselves, of one P^n."""
        return z

    # Each has its formula, and its arguments after the surface, in the file that it is named by.
    scaled = staticmethod(charts.scaled)
    chart_of = charts.chart_of
    second_chart_of = charts.second_chart_of
    in_chart = staticmethod(charts.in_chart)
    displaced = charts.displaced
    shaken = charts.shaken
    jacobian = charts.jacobian
    transition = charts.transition
    omega2 = charts.omega2
    reference_slope = fubini_study.slope
    frame = frames.frame
    singular_point = singular_point


def _weighted(z: np.ndarray, chart: np.ndarray, slope2: np.ndarray) -> Points:
    """slope2: (N, n+1) float64, |dQ/dz_i|^2. The weight's closed form needs no chart and no determinant."""
    reals = np.ascontiguousarray(z).view(np.float64)
    # Sums along short rows: einsum takes a third of the time of sum.
    weight = np.einsum("ij,ij->i", reals, reals) ** (z.shape[1] - 1) / np.einsum("ij->i", slope2)
    return Points(z, chart, weight, 1 / slope2[np.arange(len(z)), chart[:, 1].astype(int)])
