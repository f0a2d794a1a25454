"""What moves the metric: a frozen kernel, or a finite network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mpiflow.settings.section import NonNegative, Positive, Section


class GaussianKernel(Section):
    """[kernel] name = "gaussian": exp(-d^2 / 2 width^2) in the Fubini-Study distance (HR 3.6)."""

    name: Literal["gaussian"]
    width: Positive


class DeltaKernel(Section):
    """[kernel] name = "delta": the update of the nearest train point (HR 3.2.3)."""

    name: Literal["delta"]


class ReluKernel(Section):
    """[kernel] name = "relu": the NTK of an infinitely wide ReLU network of `depth` hidden layers."""

    name: Literal["relu"]
    depth: Annotated[int, Field(ge=1, le=32)] = 2
    w_std: Positive = 1.4142135623730951
    b_std: NonNegative = 0.1


class KaehlerKernel(Section):
    """[kernel] name = "kaehler": g = g_FS + d dbar phi, phi in a frozen space of degree k (theory 4, HR app. B)."""

    name: Literal["kaehler"]
    degree: Annotated[int, Field(ge=1, le=40)] = 8
    features: Literal["invariant", "generic"] = "invariant"
    preconditioner: Literal["natural", "diagonal", "plain", "ricci"] = "natural"
    refreeze: Annotated[int, Field(ge=1)] | None = None
    warm: Annotated[int, Field(ge=2)] | None = None
    ridge: NonNegative = 0.0


Kernel = Annotated[GaussianKernel | DeltaKernel | ReluKernel | KaehlerKernel, Field(discriminator="name")]


class Network(Section):
    """[network]: a finite network in place of a frozen kernel (HR 3.3); `flow.steps` are epochs, `flow.dt` Adam's rate.

    batch: points of a mini-batch. decay: factor on the rate from epoch to epoch. sigma, kaehler, transition: weights of
    the losses.
    """

    kind: Literal["multiplicative", "additive", "potential"]
    width: Annotated[int, Field(ge=1, le=16_384)] = 64
    depth: Annotated[int, Field(ge=1, le=32)] = 3
    activation: Literal["relu", "gelu", "tanh"] = "gelu"
    batch: Annotated[int, Field(ge=1)] = 256
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    sigma: NonNegative = 1.0
    kaehler: NonNegative = 0.0
    transition: NonNegative = 0.0

    @model_validator(mode="after")
    def _consistent(self):
        if not self.sigma + self.kaehler + self.transition:
            raise ValueError("sigma = 0: with network.kaehler and network.transition 0 too there is no loss; take 1")
        if self.kind == "potential" and self.activation == "relu":
            raise ValueError('activation = "relu": a potential needs second derivatives; take "gelu" or "tanh"')
        if self.kind == "potential" and self.kaehler + self.transition:
            raise ValueError("kaehler, transition: a potential is Kaehler and one function on X; remove both")
        return self
