"""Kaehler potentials under a frozen kernel (theory 4, HR app. B)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mpiflow.settings.section import Kind, NonNegative


class KaehlerKernel(Kind):
    """[kernel] name = "kaehler": g = g_FS + d dbar phi, phi in a frozen space of degree k (theory 4, HR app. B)."""

    degree: Annotated[int, Field(ge=1, le=40)] = 8
    features: Literal["invariant", "generic"] = "invariant"
    preconditioner: Literal["natural", "diagonal", "plain", "ricci"] = "natural"
    refreeze: Annotated[int, Field(ge=1)] | None = None
    warm: Annotated[int, Field(ge=2)] | None = None
    ridge: NonNegative = 0.0

    name = "kaehler"
    space = {"flow.dt": [0.05, 0.6]}
