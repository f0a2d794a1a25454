"""What is computed on: the identity of the run, the manifold, its points and their clusters."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from mpiflow.settings.section import Count, Section

#: A set of points is measured by its sigma, the spread of eta over it.
LEAST_POINTS, MOST_POINTS = 2, 10**12
WHY_NOT_ONE = "sigma of a single point is 0 by definition, whatever the metric; 1000 is a good start"

#: What the counter-based generator takes as a key.
SEEDS = 2**63
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]


class Run(Section):
    """[run]: identity of the run and the arithmetic."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "run"
    seed: Seed = 1
    precision: Literal["float32", "float64"] = "float64"
    backend: Literal["auto", "cpu", "gpu"] = "auto"

    @property
    def folder(self) -> str:
        """The name as the name of a folder: letters, digits, dots, dashes and underscores."""
        return re.sub(r"[^\w.-]+", "_", self.name).strip(".") or "run"


#: Beyond these, z^5 and its slopes are lost beside the other terms of Q, or they beside it.
LARGEST = 1e6


def _coefficient(value: object) -> float | tuple[float, float]:
    parts = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(parts) != 1 + isinstance(value, list | tuple) or not all(type(x) in (int, float) for x in parts):
        raise PydanticCustomError("coefficient", "must be a number, or the two of a complex one, [re, im]")
    if not all(abs(x) <= LARGEST for x in parts):
        raise PydanticCustomError("coefficient", "must be finite, and its parts at most 1e6 in size")
    return tuple(map(float, parts)) if len(parts) == 2 else float(value)


def _chart(value: object) -> str | tuple[int, int]:
    if value == "all" or (isinstance(value, list | tuple) and [type(x) for x in value] == [int, int]):
        return value if value == "all" else tuple(value)
    raise PydanticCustomError("chart", 'must be two different coordinates, e.g. [0, 1], or "all"')


Coefficient = Annotated[float | tuple[float, float], BeforeValidator(_coefficient)]
Chart = Annotated[Literal["all"] | tuple[int, int], BeforeValidator(_chart)]


class Manifold(Section):
    """[manifold]: Q, by family (seed: of the coefficients of "random"), or by monomials and numbers or [re, im] pairs."""

    family: Literal["fermat", "dwork", "random", "polynomial"] = "fermat"
    ambient: Annotated[int, Field(ge=2, le=5)] = 4
    psi: Coefficient | None = None
    seed: Seed | None = None
    monomials: list[list[Annotated[int, Field(ge=0, le=6)]]] | None = None
    coefficients: list[Coefficient] | None = None

    @model_validator(mode="after")
    def _complete(self):
        if self.family == "dwork" and self.psi is None:
            raise ValueError("psi: the dwork family needs it, e.g. psi = 0.5")
        if self.family != "dwork" and self.psi is not None:
            raise ValueError(f"psi = {self.psi}: only the dwork family has it; remove it")
        if self.family == "random" and self.seed is None:
            raise ValueError("seed: the random family needs it, e.g. seed = 1")
        if self.family != "random" and self.seed is not None:
            raise ValueError(f"seed = {self.seed}: only the random family has it; remove it (points have run.seed)")
        if self.family == "polynomial" and not (self.monomials and self.coefficients):
            raise ValueError("monomials, coefficients: the polynomial family needs both")
        if self.family != "polynomial" and (self.monomials or self.coefficients):
            raise ValueError('monomials, coefficients: only for family = "polynomial"; remove them')
        return self


class Points(Section):
    """[points]: how many, in which chart, with which noise; sampled, or the first ones of cymetric's dataset.npz (`file`)."""

    train: Annotated[int, Field(le=MOST_POINTS)] = 1000
    test: Annotated[int, Field(le=MOST_POINTS)] = 1000
    file: Annotated[str, Field(min_length=1)] | None = None
    chart: Chart = (0, 1)
    noise: Annotated[
        float, Field(ge=0, le=0.1, description="in units of the largest coordinate; more leaves X for good")
    ] = 0.0
    project: bool = True

    @model_validator(mode="after")
    def _enough(self):
        for name in ("train", "test"):
            if (count := getattr(self, name)) < LEAST_POINTS:
                raise ValueError(f"{name} = {count}: must be at least {LEAST_POINTS}; {WHY_NOT_ONE}")
        return self


class Clusters(Section):
    """[clusters]: mini-batch clustering and the merge (HR 3.1)."""

    count: Count = 1
    batch: Count = 10_000
    linkage: Literal["average", "complete", "ward", "chordal"] = "average"
    merge: Literal["greedy", "assignment", "moments", "kmeans"] = "greedy"
