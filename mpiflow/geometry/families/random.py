"""Hypersurfaces without any symmetry."""

from __future__ import annotations

from itertools import product
from typing import Annotated

from pydantic import Field

from mpiflow import streams
from mpiflow.geometry.families.family import Ambient, Family
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.settings.problem import Seed


class Random(Family):
    """[manifold] family = "random": all monomials of degree n+1 in P^n, with complex Gaussian coefficients."""

    ambient: Ambient = 4
    """The n of P^n."""
    seed: Annotated[Seed, Field(description="of the coefficients (points have run.seed), e.g. seed = 1")]
    """Of the coefficients. e.g. 1"""

    name = "random"

    def equation(self) -> Hypersurface:
        """The equation."""
        size = self.coordinates
        exponents = [row for row in product(range(size + 1), repeat=size) if sum(row) == size]
        draws = streams.coefficients(self.seed).standard_normal((len(exponents), 2))
        return Hypersurface(exponents, draws[:, 0] + 1j * draws[:, 1])
