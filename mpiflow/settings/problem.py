"""What is computed on: the identity of the run, the manifold, its points and their clusters."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from mpiflow.clustering import LINKAGES, MERGES
from mpiflow.clustering.linkages import Linkage
from mpiflow.clustering.merges import Merge
from mpiflow.doors.door import Door
from mpiflow.geometry.families.family import Family
from mpiflow.settings.section import Count, Section

#: Families of manifolds.
FAMILIES = Door(
    "manifold.family",
    "mpiflow.settings.section:Manifold",
    "mpiflow.geometry.families",
    "mpiflow.grids",
    users="mpiflow.geometry.families.family:Family",
)
Manifold = Annotated[Family, FAMILIES]

#: A set of points is measured by its sigma, the spread of eta over it.
LEAST_POINTS, MOST_POINTS = 2, 10**12
WHY_NOT_ONE = "sigma of a single point is 0 by definition, whatever the metric; 1000 is a good start"

#: What the counter-based generator takes as a key.
SEEDS = 2**63
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]


class Run(Section):
    """[run]: identity of the run and the arithmetic."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "run"
    """What the run is called; its folder is runs/NAME, other signs than letters, digits, dots and dashes as
    underscores."""
    seed: Seed = 1
    """Of the points and of whatever else is drawn."""
    precision: Literal["float32", "float64"] = "float64"
    """Of losses, gradients and kernel entries; metrics are float64."""
    inner: Literal["float32", "float64"] = "float64"
    """Of products within a step of potentials, from which no metric is made; float32 takes half the time."""
    backend: Literal["auto", "cpu", "gpu"] = "auto"
    """Where kernels are computed; auto takes a GPU that is there."""

    @property
    def folder(self) -> str:
        """The name as the name of a folder: letters, digits, dots, dashes and underscores."""
        return re.sub(r"[^\w.-]+", "_", self.name).strip(".") or "run"


def _chart(value: object) -> str | tuple[int, ...]:
    if value == "all" or (isinstance(value, list | tuple) and value and all(type(x) is int for x in value)):
        return value if value == "all" else tuple(value)
    raise PydanticCustomError("chart", 'must be two different coordinates, e.g. [0, 1], or "all"')


Chart = Annotated[Literal["all"] | tuple[int, ...], BeforeValidator(_chart)]


class Points(Section):
    """[points]: how many, in which chart, with which noise; sampled, or the first ones of cymetric's dataset.npz (`file`)."""

    train: Annotated[int, Field(le=MOST_POINTS)] = 1000
    """Points that the flow learns from."""
    test: Annotated[int, Field(le=MOST_POINTS)] = 1000
    """Unseen points, on which a metric is measured."""
    file: Annotated[str, Field(min_length=1)] | None = None
    """Take the points of this dataset.npz of cymetric or `mpiflow points`, in place of new ones. e.g. "dataset.npz" """
    chart: Chart = (0, 1)
    """The chart (i, j) of all points, z_i scaled to one and z_j eliminated; or "all" charts."""
    noise: Annotated[
        float, Field(ge=0, le=0.1, description="in units of the largest coordinate; more leaves X for good")
    ] = 0.0
    """Test points are train points moved by so much. [largest coordinate]"""
    project: bool = True
    """Whether moved points are brought back onto X."""
    _place: Path | None = PrivateAttr(None)

    def model_post_init(self, context: object) -> None:
        """Find the file from where the run was started: a user's class may change the working directory."""
        self._place = Path(self.file).absolute() if self.file else None

    @property
    def place(self) -> Path | None:
        """Where `file` is, absolute."""
        return self._place

    def stay(self, other: Points) -> None:
        """Have `file` where the same one of another run file is, read before a user's class could change the folder."""
        if self.file == other.file:
            self._place = other.place

    @model_validator(mode="after")
    def _enough(self):
        for name in ("train", "test"):
            if (count := getattr(self, name)) < LEAST_POINTS:
                raise ValueError(f"{name} = {count}: must be at least {LEAST_POINTS}; {WHY_NOT_ONE}")
        return self


class Clusters(Section):
    """[clusters]: mini-batch clustering and the merge (HR 3.1)."""

    count: Count = 1
    """Clusters that the train points are cut into."""
    batch: Count = 10_000
    """Points of a mini-batch, which are clustered together."""
    linkage: Annotated[Linkage, LINKAGES, Field(validate_default=True)] = "average"
    """How clusters of a mini-batch grow"""
    merge: Annotated[Merge, MERGES, Field(validate_default=True)] = "greedy"
    """How the clusters of mini-batches become those of all"""
