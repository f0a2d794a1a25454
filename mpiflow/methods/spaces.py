"""The door for spaces of features: `kernel.features` names a class, which is made when the manifold is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationInfo

from mpiflow.doors import loaded, own
from mpiflow.doors.door import Door
from mpiflow.kernels.features import Features
from mpiflow.settings.section import Section


@dataclass(frozen=True)
class Space:
    """A class of features, by its name, and the keys beside it; opened: whether it is known, and not only named."""

    base: type[Features]
    keys: Section

    @cached_property
    def kind(self) -> type[Features]:
        """The class, which knows its keys."""
        return self.base.keyed(self.keys)

    @property
    def name(self) -> str:
        """As the run file has it."""
        return self.base.name

    @property
    def source(self) -> str | None:
        """The text of the file that a user's own class stands in; None for ours."""
        return self.base.source

    @property
    def opened(self) -> bool:
        """Whether the class is known, and not only its name."""
        return self.source != ""

    def __eq__(self, other: object) -> bool:
        mine = self.name, self.source, self.written
        return isinstance(other, Space) and (other.name, other.source, other.written) == mine

    def __hash__(self) -> int:
        return hash((self.name, self.source))

    def __reduce__(self):
        return _chosen, (self.name, self.source, self.written)

    @property
    def written(self) -> dict:
        """The keys that are set."""
        return self.keys.model_dump(mode="json", exclude_none=True)


class SpaceDoor(Door):
    """A door whose classes are made late, and have their keys in a class of their own."""

    table = False

    def keys(self, kind: type[Features]) -> type[Section]:
        """The inner `Keys`."""
        return kind.Keys

    def class_of(self, chosen: Space) -> type[Features]:
        """The class without its keys."""
        return chosen.base

    def validated(self, given: object, info: ValidationInfo) -> Space:
        """The class of a name with its keys. Raises ValueError where there is none."""
        if isinstance(given, Space):
            return given
        name, keys = self.split(given)
        kind = self.kind(name, (info.context or {}).get("own", own.nothing))
        return Space(kind, kind.Keys.model_validate(keys))

    def written(self, chosen: Space, info) -> object:
        """Its name, alone where no key is set."""
        return {chosen.base.key: chosen.name} | chosen.written if chosen.written else chosen.name


SPACES = SpaceDoor("kernel.features", "mpiflow.kernels.features:Features", "mpiflow.kernels")


def space(name: str) -> Space:
    """Ours of a name, with its usual keys."""
    kind = SPACES.find(name)
    return Space(kind, kind.keys)


def _chosen(name: str, source: str | None, keys: dict) -> Space:
    kind = SPACES.kind(name) if source is None else loaded.revived(SPACES, name, source)
    return Space(kind, kind.Keys.model_validate(keys))
