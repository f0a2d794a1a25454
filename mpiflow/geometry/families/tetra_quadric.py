"""The tetra-quadric threefold."""

from __future__ import annotations

from mpiflow.geometry.families.product import Product, drawn
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.settings.problem import Seed


class TetraQuadric(Product):
    """[manifold] family = "tetra-quadric": one equation of degree (2, 2, 2, 2) in (P^1)^4, of Euler number -128."""

    seed: Seed = 1
    """Of the coefficients."""

    name = "tetra-quadric"
    # By Bertini's theorem.
    smooth = True
    factors = (1, 1, 1, 1)
    degrees_of = ((2, 2, 2, 2),)

    def polynomials(self) -> tuple[Polynomial, ...]:
        """The equation, with complex Gaussian coefficients."""
        return drawn(self.sizes, self.degrees_of, self.seed)
