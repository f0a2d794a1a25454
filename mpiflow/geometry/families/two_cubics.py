"""The mirror family of two cubics in P^5."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.errors import InputError
from mpiflow.geometry.families.family import Complex, complex_of
from mpiflow.geometry.families.product import Product
from mpiflow.geometry.polynomial import Polynomial


class TwoCubics(Product):
    """[manifold] family = "two-cubics": z_0^3 + z_1^3 + z_2^3 - 3 psi z_3 z_4 z_5 = 0 and the same of the other half, in P^5,
    of Euler number -144; its quotient is the mirror of P^5[3,3]."""

    psi: Annotated[Complex, Field(description="a number, or [re, im], e.g. psi = 0.5")] = 0.5
    """The modulus, a number or [re, im]."""

    name = "two-cubics"
    smooth = True
    factors = (5,)
    degrees_of = ((3,), (3,))

    def polynomials(self) -> tuple[Polynomial, ...]:
        """The equations. Raises InputError where psi = 0 or psi^6 = 1: there alone X is singular."""
        psi = complex_of(self.psi)
        if abs(psi**6 - 1) < 1e-9 or abs(psi) < 1e-9:
            shown = psi if psi.imag else psi.real
            raise InputError(f"manifold.psi = {shown}: X is singular where psi = 0 or psi^6 = 1; move psi away")
        cubes, half = 3 * np.eye(6, dtype=int), np.repeat([0, 1], 3)
        numbers = np.append(np.ones(3), -3 * psi)
        halves = (cubes[:3], half), (cubes[3:], 1 - half)
        return tuple(Polynomial(np.vstack([cube, other]), numbers) for cube, other in halves)
