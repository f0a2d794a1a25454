"""The door for spaces of features: `kernel.features` names a class, which is made when the manifold is known."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationInfo

from mpiflow.doors import own
from mpiflow.doors.door import Door
from mpiflow.kernels.features import Features


@dataclass(frozen=True)
class Space:
    """A class of features, by its name; opened: whether it is known, and not only named."""

    kind: type[Features]

    @property
    def name(self) -> str:
        """As the run file has it."""
        return self.kind.name

    @property
    def source(self) -> str | None:
        """The text of the file that a user's own class stands in; None for ours."""
        return self.kind.source

    @property
    def opened(self) -> bool:
        """Whether the class is known, and not only its name."""
        return self.source != ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and (self.name, self.source) == (other.name, other.source)

    def __hash__(self) -> int:
        return hash((self.name, self.source))

    def __reduce__(self):
        return _chosen, (self.name, self.source)


class SpaceDoor(Door):
    """A door whose classes have no keys of their own."""

    table = False

    def validated(self, given: object, info: ValidationInfo) -> Space:
        """The class of a name. Raises ValueError where there is none."""
        if isinstance(given, Space):
            return given
        return Space(self.kind(given, (info.context or {}).get("own", own.nothing)))

    def written(self, chosen: Space, info) -> str:
        """Its name."""
        return chosen.name


SPACES = SpaceDoor("kernel.features", "mpiflow.kernels.features:Features", "mpiflow.kernels")


def _chosen(name: str, source: str | None) -> Space:
    return Space(SPACES.kind(name) if source is None else own.revived(SPACES, name, source))
