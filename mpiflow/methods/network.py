"""Finite networks in place of a frozen kernel (HR 3.3)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from mpiflow.settings.section import NonNegative, Section


class Network(Section):
    """[network]: a finite network in place of a frozen kernel (HR 3.3); `flow.steps` are epochs, `flow.dt` Adam's rate.

    batch: points of a mini-batch. decay: factor on the rate from epoch to epoch. sigma, kaehler, transition: weights of
    the losses.
    """

    kind: Annotated[
        Literal["multiplicative", "additive", "potential"],
        Field(description="multiplicative is the paper's network; potential is exactly Kaehler"),
    ]
    width: Annotated[int, Field(ge=1, le=16_384)] = 64
    depth: Annotated[int, Field(ge=1, le=32)] = 3
    activation: Literal["relu", "gelu", "tanh"] = "gelu"
    batch: Annotated[int, Field(ge=1)] = 256
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    sigma: NonNegative = 1.0
    kaehler: NonNegative = 0.0
    transition: NonNegative = 0.0

    space: ClassVar[dict[str, list]] = {"flow.dt": [1e-4, 1e-2], "network.decay": [0.8, 1.0]}

    @model_validator(mode="after")
    def _consistent(self):
        if not self.sigma + self.kaehler + self.transition:
            raise ValueError("sigma = 0: with network.kaehler and network.transition 0 too there is no loss; take 1")
        if self.kind == "potential" and self.activation == "relu":
            raise ValueError('activation = "relu": a potential needs second derivatives; take "gelu" or "tanh"')
        if self.kind == "potential" and self.kaehler + self.transition:
            raise ValueError("kaehler, transition: a potential is Kaehler and one function on X; remove both")
        return self
