"""What families of complete intersections in products of projective spaces have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from mpiflow import streams
from mpiflow.geometry import intersection, product_charts
from mpiflow.geometry.families.family import Family
from mpiflow.geometry.intersection import Intersection
from mpiflow.geometry.polynomial import Polynomial, multimonomials
from mpiflow.settings.section import MOST

#: The n_i of P^(n_1) x ... x P^(n_r) as a key.
Ambients = Annotated[
    list[Annotated[int, Field(ge=1, le=8)]],
    Field(min_length=1, description="a list of dimensions, e.g. [2, 2] for P^2 x P^2"),
]
#: The t_i of K = sum t_i log|z_i|^2 as a key; no number is refused here that `intersection.check` refuses with its reason.
Kaehler = Annotated[
    list[Annotated[float, Field(ge=-MOST, le=MOST)]],
    Field(description="one number above 0 for each factor, e.g. [1.0, 1.5]"),
]


class Product(Family):
    """Complete intersections in P^(n_1) x ... x P^(n_r), of the class of K = sum t_i log|z_i|^2.

    A subclass has `factors`, the n_i, or a key `ambient` for them, `degrees_of`, the degrees of each equation in each factor
    (p, r), and `polynomials`.
    """

    kaehler: Kaehler | None = None
    """The t_i of K = sum t_i log|z_i|^2, one for each factor; without it all are 1. e.g. [1.0, 1.5]"""

    factors: ClassVar[Any] = property(lambda self: tuple(self.ambient))
    degrees_of: ClassVar[tuple[tuple[int, ...], ...]]

    def polynomials(self) -> tuple[Polynomial, ...]:
        """The equations."""
        raise NotImplementedError

    def equation(self) -> Intersection:
        """The manifold. Raises InputError where it is no connected Calabi-Yau manifold, or the class no Kaehler class."""
        intersection.check(self.factors, self.degrees_of, self.class_of)
        return Intersection(self.polynomials(), self.sizes, self.class_of)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Coordinates of each factor."""
        return tuple(n + 1 for n in self.factors)

    @property
    def class_of(self) -> tuple[float, ...]:
        """The t_i."""
        return tuple(self.kaehler if self.kaehler is not None else [1.0] * len(self.factors))

    @property
    def coordinates(self) -> int:
        """Homogeneous coordinates of a point, of all factors."""
        return sum(self.sizes)

    @property
    def dimension(self) -> int:
        """Complex dimension d."""
        return sum(self.factors) - len(self.degrees_of)

    def check_chart(self, chart: tuple[int, ...]) -> None:
        """Raises ValueError where `points.chart` is no chart."""
        row = np.array([chart])
        for _ in product_charts.complaints(self.sizes, np.ones((1, self.coordinates)), row, len(self.degrees_of)):
            r, p = len(self.sizes), len(self.degrees_of)
            raise ValueError(
                f"points.chart = {list(chart)}: here a chart is a coordinate of each of the {r} factors, numbered through all, "
                f'and {p} others that are eliminated, ascending, e.g. {self._chart}; or "all"'
            )

    @property
    def _chart(self) -> list[int]:
        ends = np.cumsum(self.sizes)
        first = (ends - self.sizes).tolist()
        return [*first, *[i for i in range(self.coordinates) if i not in first][: len(self.degrees_of)]]

    def complaints(self, z: np.ndarray, chart: np.ndarray) -> Iterator[str]:
        """What makes stored charts (N, w) none of these points (N, C), the first that is found."""
        yield from product_charts.complaints(self.sizes, z, chart, len(self.degrees_of))


def drawn(sizes: tuple[int, ...], degrees: tuple[tuple[int, ...], ...], seed: int) -> tuple[Polynomial, ...]:
    """All monomials of each multidegree, with complex Gaussian coefficients."""
    generator, found = streams.coefficients(seed), []
    for row in degrees:
        exponents = multimonomials(row, sizes)
        draws = generator.standard_normal((len(exponents), 2))
        found.append(Polynomial(exponents, draws[:, 0] + 1j * draws[:, 1]))
    return tuple(found)
