"""The Dwork family."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.errors import InputError
from mpiflow.geometry.families.family import Ambient, Complex, Family, complex_of
from mpiflow.geometry.hypersurface import Hypersurface


class Dwork(Family):
    """[manifold] family = "dwork": sum_i z_i^(n+1) - (n+1) psi prod_i z_i in P^n."""

    ambient: Ambient = 4
    """The n of P^n."""
    psi: Annotated[Complex, Field(description="a number, or [re, im], e.g. psi = 0.5")]
    """The modulus, a number or [re, im]. e.g. 0.5"""

    name = "dwork"
    smooth = True

    def equation(self) -> Hypersurface:
        """The equation. Raises InputError where psi^(n+1) = 1: there alone X is singular."""
        size, psi = self.coordinates, complex_of(self.psi)
        if abs(psi**size - 1) < 1e-9:
            shown = psi if psi.imag else psi.real
            raise InputError(
                f"manifold.psi = {shown}: psi^{size} = 1 is a conifold, the hypersurface is singular there; move psi away"
            )
        exponents = np.vstack([size * np.eye(size, dtype=int), np.ones((1, size), int)])
        return Hypersurface(exponents, np.append(np.ones(size), -size * psi))
