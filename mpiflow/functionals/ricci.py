"""The Ricci form in place of a slope: Ricci flow of components, through the kernel (HR 2.39, theory 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mpiflow.functionals.functional import Functional

if TYPE_CHECKING:
    from mpiflow.config import Config


class Ricci(Functional):
    """flow.loss = "ricci": dg = -sum K Ric, Ric = -d dbar log det g of the predicted metric; its loss is |Ric|^2 by g.

    Nothing is lowered: Ric is no dl/dg of components. Where g is not Kaehler it is Chern's first form.
    """

    name = "ricci"
    asks: ClassVar = frozenset({"ricci"})
    wants: ClassVar = 'a component kernel with two derivatives, e.g. kernel.name = "gaussian"'

    def check(self, config: Config) -> None:
        """Raises ValueError for what is of a slope, and for a precision in which differences have no digits."""
        if config.flow.natural_gradient or config.flow.kappa == "step":
            raise ValueError(
                f'flow.loss = "{self.name}": moves the metric by its Ricci form, which has no slope and no kappa; leave out '
                'flow.natural_gradient and flow.kappa = "step"'
            )
        if config.run.precision != "float64":
            raise ValueError(
                f'flow.loss = "{self.name}": second derivatives by differences need run.precision = "float64"'
            )

    def value(self, mixed, xp=np):
        """|Ric|^2 of g^-1 Ric, (N, d, d): (N,)."""
        return xp.einsum("xab,xba->x", mixed, mixed).real
