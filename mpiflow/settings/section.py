"""What all tables of a run file have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_serializer

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A table of the run file; unknown keys are refused. The description of a key is the cure that its mistakes tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(Section):
    """One of the tables that a run file may mean by [kernel], told by its name.

    space: what a study searches where the run file does not say, as in its [tune]. source: the text of the file that a
    user's own kind stands in; None for ours.
    """

    name: ClassVar[str] = ""
    source: ClassVar[str | None] = None
    space: ClassVar[dict[str, list]] = {}

    def __init__(self, *values, **keys):
        super().__init__(**dict(zip(type(self).model_fields, values, strict=False)), **keys)

    @model_serializer(mode="wrap")
    def _named(self, fields) -> dict:
        return {"name": self.name, **fields(self)}
