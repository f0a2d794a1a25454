"""Ricci flow of components that the kernel only interpolates: the local flow (HR 2.39, theory 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mpiflow.functionals.ricci import Ricci
from mpiflow.searches.exact import symmetric

if TYPE_CHECKING:
    from mpiflow.config import Config


class RicciLocal(Ricci):
    """flow.loss = "ricci-local": dg = -Ric at the train points, and elsewhere what the kernel makes of that, K K^-1 Ric."""

    time: Annotated[float, Field(gt=0, le=1e30)] = 1e30
    """How long the kernel is drawn to Ric: (1 - exp(-time K)) Ric in its place, for a short time the kernel's image."""

    name = "ricci-local"
    asks: ClassVar = frozenset({"ricci", "solved"})
    cure: ClassVar = 'take a smaller kernel.width, or flow.loss = "ricci"'

    def check(self, config: Config) -> None:
        """Raises ValueError as of `Ricci`, and where there is no symmetric matrix to solve."""
        super().check(config)
        symmetric(config, self.asker)
