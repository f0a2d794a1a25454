"""Which families there are: every class of this room that has a name; and the one that a run file's [manifold] means."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator, SerializeAsAny, ValidationInfo

from mpiflow.geometry import families
from mpiflow.geometry.families.family import Family
from mpiflow.settings.named import Named

ROOM = Named(families, Family)
#: What a run file without a word of its manifold is about.
DEFAULT = "fermat"


def kind(name: str) -> type[Family]:
    """The class of a family's name. Raises ValueError for one that there is not, with all that there are."""
    found = ROOM.find(name)
    if found is None:
        raise ValueError(f"family: must be one of {', '.join(ROOM.known())}")
    return found


def family(table: object, info: ValidationInfo) -> Family:
    """The family of a table [manifold]. Raises ValueError where there is none of its name."""
    if isinstance(table, Family):
        return table
    if not isinstance(table, dict):
        return Family.model_validate(table)
    keys = dict(table)
    return kind(str(keys.pop("family", DEFAULT))).model_validate(keys)


Manifold = Annotated[SerializeAsAny[Family], PlainValidator(family)]
