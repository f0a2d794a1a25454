"""Complete intersections without any symmetry."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mpiflow.geometry.families.product import Ambients, Product, drawn
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.settings.problem import Seed


class Configuration(Product):
    """[manifold] family = "configuration": the equations of a configuration matrix, all their monomials with complex Gaussian
    coefficients."""

    ambient: Ambients
    """The n_i of the factors. e.g. [2, 2]"""
    degrees: Annotated[
        list[list[Annotated[int, Field(ge=0, le=9)]]],
        Field(min_length=1, description="a list for each equation, of its degrees in the factors"),
    ]
    """Of each equation, in each factor. e.g. [[3, 3]]"""
    seed: Annotated[Seed, Field(description="of the coefficients (points have run.seed), e.g. seed = 1")]
    """Of the coefficients. e.g. 1"""

    name = "configuration"
    # By Bertini's theorem: no degree has base points.
    smooth = True

    @property
    def degrees_of(self) -> tuple[tuple[int, ...], ...]:
        """Of each equation in each factor."""
        return tuple(map(tuple, self.degrees))

    def polynomials(self) -> tuple[Polynomial, ...]:
        """The equations."""
        return drawn(self.sizes, self.degrees_of, self.seed)
