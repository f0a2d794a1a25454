"""Hypersurfaces that a run file writes out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mpiflow.errors import InputError
from mpiflow.geometry.families.family import Ambient, Complex, Family, complex_of
from mpiflow.geometry.hypersurface import Hypersurface


class Polynomial(Family):
    """[manifold] family = "polynomial": monomials by their n+1 exponents, and a coefficient of each."""

    ambient: Ambient = 4
    """The n of P^n."""
    monomials: Annotated[
        list[list[Annotated[int, Field(ge=0, le=6)]]],
        Field(min_length=1, description="a list of exponents for each monomial"),
    ]
    """The n+1 exponents of each. e.g. [[5, 0, 0, 0, 0], [0, 5, 0, 0, 0], [0, 0, 5, 0, 0], [0, 0, 0, 5, 0], [0, 0,
    0, 0, 5]]"""
    coefficients: Annotated[list[Complex], Field(min_length=1, description="a number, or [re, im], for each monomial")]
    """Of each monomial; two numbers are real and imaginary part. e.g. [1.0, 1.0, 1.0, 1.0, 1.0]"""

    name = "polynomial"

    def equation(self) -> Hypersurface:
        """The equation. Raises InputError where it is not one of a Calabi-Yau manifold in P^n."""
        if {len(row) for row in self.monomials} != {self.coordinates}:
            raise InputError(f"manifold.monomials: each needs {self.coordinates} exponents in P^{self.ambient}")
        return Hypersurface(self.monomials, [complex_of(c) for c in self.coefficients])
