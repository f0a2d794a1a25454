"""How a space comes in at the door of [manifold]: its keys as a class of the run file, which makes it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from mpiflow.settings.section import Manifold

if TYPE_CHECKING:
    from mpiflow.grids.space import Space


class Grid(Manifold):
    """The keys of a space, one class for each. space: its name in its module."""

    lives = "real grids"
    space: ClassVar[type[Space]]

    def domain(self) -> Space:
        """The space."""
        return self.space(self.space.Keys(**{name: getattr(self, name) for name in type(self).model_fields}))

    def __reduce__(self):
        # The class is no name of its module: that is the space's.
        return _remade, (self.space.__module__, self.space.__name__, dict(self))


def offered(space: type[Space]) -> type[Grid]:
    """The class of the run file that makes a space."""
    facts = {"__doc__": space.__doc__, "__module__": space.__module__, "name": space.name, "space": space}
    return type(space.__name__, (Grid, space.Keys), facts)


def _remade(module: str, name: str, keys: dict) -> Grid:
    return getattr(import_module(module), name).offers(**keys)
