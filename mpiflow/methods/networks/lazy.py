"""A network that follows the flow of a frozen kernel as it widens (HR 2.8, 2.23; theory 7)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mpiflow.methods.networks.additive import Additive
from mpiflow.settings.problem import Seed


class Lazy(Additive):
    """[network] kind = "lazy": g = g_FS + NN - NN_0, NN_0 as it begins, in the NTK parameterisation of kernel.name = "relu"."""

    activation: Literal["relu", "gelu", "tanh"] = "relu"
    """Of the hidden layers."""
    w_std: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.4142135623730951
    """Spread of the weights, times the root of the fan-in."""
    b_std: Annotated[float, Field(ge=0, le=1e3)] = 0.1
    """Spread of the biases."""
    seed: Seed = 1
    """Of its first parameters."""

    name = "lazy"
    search = "sgd"
    weighted: ClassVar[bool] = False

    @property
    def tangent(self) -> tuple[float, float]:
        """Of its parameterisation."""
        return self.w_std, self.b_std

    @property
    def since(self) -> int | None:
        """The seed of NN_0."""
        return self.seed if self.silent else None

    @property
    def compiled(self) -> Lazy:
        """Without its seed."""
        return self.model_copy(update={"seed": 0})
