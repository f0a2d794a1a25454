"""What a family of manifolds is: the keys of its table [manifold] in the run file, and the equation that they give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mpiflow.errors import InputError
from mpiflow.geometry import charts
from mpiflow.geometry.domain import Domain
from mpiflow.settings.section import Manifold

#: The n of P^n as a key.
Ambient = Annotated[int, Field(ge=2, le=5)]
#: Beyond these, z^5 and its slopes are lost beside the other terms of Q, or they beside it.
LARGEST = 1e6


def _coefficient(value: object) -> float | tuple[float, float]:
    parts = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(parts) != 1 + isinstance(value, list | tuple) or not all(type(x) in (int, float) for x in parts):
        raise PydanticCustomError("coefficient", "must be a number, or the two of a complex one, [re, im]")
    if not all(abs(x) <= LARGEST for x in parts):
        raise PydanticCustomError("coefficient", "must be finite, and its parts at most 1e6 in size")
    return tuple(map(float, parts)) if len(parts) == 2 else float(value)


#: A complex number as a key: a number or [re, im].
Complex = Annotated[float | tuple[float, float], BeforeValidator(_coefficient)]


def complex_of(value: Complex) -> complex:
    """The number of such a key."""
    return complex(*value) if isinstance(value, tuple) else complex(value)


class Family(Manifold):
    """Hypersurfaces of degree n+1 in P^n: `name` and the fields of a subclass are the keys of [manifold].

    ambient, the n of P^n, is a key (`ambient: Ambient = 4`) or a number of the class (`ambient = 3`). `equation` is all that
    a family needs besides. smooth: whether all that `equation` gives is known to be smooth, so that no search is made.

    A family of other manifolds gives a `Domain` of its own as its equation, and says what of it a run file and a stored
    point tell: `coordinates`, `dimension`, `check_chart`, `complaints`.
    """

    unopened = {
        "lives": None,
        **{name: property(lambda self: None) for name in ("coordinates", "dimension")},
        "check_chart": lambda self, chart: None,
        "complaints": lambda self, z, chart: iter(()),
    }
    smooth: ClassVar[bool] = False
    ambient: ClassVar[int]

    def equation(self) -> Domain:
        """The manifold, smooth or not. Raises InputError for keys that give none."""
        raise NotImplementedError(f'manifold.family = "{self.name}": its class has no equation(self); give it one')

    def domain(self) -> Domain:
        """The manifold; raises InputError where it is not Calabi-Yau or where a singular point is found."""
        surface = self.equation()
        found = None if self.smooth else surface.singular_point()
        if found is not None:
            where = ", ".join(f"{x:.3g}" for x in found)
            raise InputError(f"manifold: Q and its gradient vanish at ({where}): X is singular there; change Q")
        return surface

    def tried(self, beside: dict) -> None:
        """Make the manifold, and a few points of it. Raises where it is none."""
        surface = self.domain()
        if (surface.coordinates, surface.dimension) != (self.coordinates, self.dimension):
            raise ValueError(
                f"equation is one of {surface.coordinates} coordinates, where ambient = {self.ambient} says {self.coordinates}"
            )

    @property
    def coordinates(self) -> int:
        """Homogeneous coordinates of a point."""
        return self.ambient + 1

    @property
    def dimension(self) -> int:
        """Complex dimension d."""
        return self.ambient - 1

    def check_chart(self, chart: tuple[int, ...]) -> None:
        """Raises ValueError where `points.chart` is no chart."""
        if len(set(chart)) != 2 or len(chart) != 2 or not all(0 <= c <= self.ambient for c in chart):
            raise ValueError(f"points.chart = {list(chart)}: two different coordinates out of 0..{self.ambient}")

    def complaints(self, z: np.ndarray, chart: np.ndarray) -> Iterator[str]:
        """What makes stored charts (N, w) none of these points (N, C), the first that is found."""
        yield from charts.complaints(z, chart)
