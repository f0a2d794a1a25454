"""Complete intersections that a run file writes out."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.errors import InputError
from mpiflow.geometry.families.family import Complex, complex_of
from mpiflow.geometry.families.product import Ambients, Product
from mpiflow.geometry.polynomial import Polynomial


class Equations(Product):
    """[manifold] family = "equations": of each equation its monomials by their exponents, and a coefficient of each."""

    ambient: Ambients
    """The n_i of the factors. e.g. [1, 1]"""
    monomials: Annotated[
        list[Annotated[list[list[Annotated[int, Field(ge=0, le=9)]]], Field(min_length=1)]],
        Field(min_length=1, description="for each equation a list of exponents for each monomial"),
    ]
    """Of each equation, the exponents of each monomial in the coordinates of all factors. e.g. [[[2, 0, 2, 0], [0, 2, 0,
    2], [2, 0, 0, 2], [1, 1, 1, 1]]]"""
    coefficients: Annotated[
        list[list[Complex]],
        Field(min_length=1, description="for each equation a number, or [re, im], for each monomial"),
    ]
    """Of each monomial of each equation; two numbers are real and imaginary part. e.g. [[1.0, 1.0, 2.0, [0.0, 1.0]]]"""

    name = "equations"

    @property
    def degrees_of(self) -> tuple[tuple[int, ...], ...]:
        """Of each equation in each factor, by its first monomial."""
        cuts = np.cumsum(self.sizes)[:-1]
        return tuple(tuple(int(part.sum()) for part in np.split(np.array(rows[0]), cuts)) for rows in self.monomials)

    def equation(self):
        """As of any. Raises InputError also where exponents and coefficients do not go together."""
        if any(len(row) != self.coordinates for rows in self.monomials for row in rows):
            where = " x ".join(f"P^{n}" for n in self.ambient)
            raise InputError(f"manifold.monomials: each needs {self.coordinates} exponents in {where}")
        if list(map(len, self.monomials)) != list(map(len, self.coefficients)):
            raise InputError(
                f"manifold.coefficients: {list(map(len, self.coefficients))} for {list(map(len, self.monomials))} monomials "
                "of the equations: give one a monomial"
            )
        return super().equation()

    def polynomials(self) -> tuple[Polynomial, ...]:
        """The equations."""
        pairs = zip(self.monomials, self.coefficients, strict=True)
        return tuple(Polynomial(np.array(rows), np.array([complex_of(c) for c in each])) for rows, each in pairs)
