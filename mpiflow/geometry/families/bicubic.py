"""The bicubic threefold."""

from __future__ import annotations

from mpiflow.geometry.families.product import Product, drawn
from mpiflow.geometry.polynomial import Polynomial
from mpiflow.settings.problem import Seed


class Bicubic(Product):
    """[manifold] family = "bicubic": one equation of degree (3, 3) in P^2 x P^2, of Euler number -162."""

    seed: Seed = 1
    """Of the coefficients."""

    name = "bicubic"
    # By Bertini's theorem.
    smooth = True
    factors = (2, 2)
    degrees_of = ((3, 3),)

    def polynomials(self) -> tuple[Polynomial, ...]:
        """The equation, with complex Gaussian coefficients."""
        return drawn(self.sizes, self.degrees_of, self.seed)
