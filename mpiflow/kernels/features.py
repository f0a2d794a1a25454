"""What a space of features is: functions on X with their derivatives, and what flows, states and plans may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import ConfigDict

from mpiflow import hermitian
from mpiflow.backend import HOST, Device
from mpiflow.geometry.domain import Domain, Frame
from mpiflow.kernels import jets
from mpiflow.kernels.costs import Costs, Work
from mpiflow.settings.section import Section

if TYPE_CHECKING:
    from mpiflow.ansatz import Ansatz

#: (count) to complex points (count, n+1) of X, |z| of any size, that are the same on all ranks and no run trains on.
Draw = Callable[[int], np.ndarray]


class Keys(Section):
    """Keys of kernel.features that a space has beside its name."""


class _AnyKeys(Section):
    model_config = ConfigDict(extra="allow")


class Features:
    """A frozen space of P real functions F_m on X, found by its `name` in kernel.features.

    A subclass is a frozen dataclass whose fields are arrays, all that a state keeps of it (in `group`), and has

        made(surface, degree, draw)  all features of a degree, on rank 0 alone; InputError where there are none. draw: `Draw`
        count(surface, degree)       P, without making them; both are class methods
        values(z)                    F_m at complex points (N, n+1) of X, any scale: (P, N) float64
        jets(frame, order)           d^alpha dbar^beta of all in normal coordinates: lower triangles (P, T, N) complex
        len(...)                     P

    and may have an inner `Keys`, whose values its class methods find as cls.keys.

    The rest is made of them, with Hessians d dbar F_m one by one. Each answer below may be a better one: everywhere, symmetry
    maps every chart to the run's own; graded, `degrees` (P,) int tell which functions a warm start takes; answers,
    what a preconditioner, a search or a functional may ask for: "hessians" one by one, "second" derivatives as well, and
    "balanced", which has `moments` and `balanced`. A space too large to have its Hessians one by one overrides what is
    prepared, and has an `inverse`.
    """

    key: ClassVar[str] = "name"
    usual: ClassVar[str | None] = None
    name: ClassVar[str] = ""
    source: ClassVar[str | None] = None
    Keys: ClassVar[type[Section]] = Keys
    keys: ClassVar[Section] = Keys()
    unopened: ClassVar[dict] = {
        "graded": True,
        "everywhere": True,
        "answers": frozenset({"hessians", "balanced", "second"}),
        "Keys": _AnyKeys,
    }
    group: ClassVar[str] = "features"
    everywhere: ClassVar[bool] = False
    graded: ClassVar[bool] = False
    answers: ClassVar[frozenset[str]] = frozenset({"hessians", "second"})

    @classmethod
    def keyed(cls, keys: Section) -> type[Self]:
        """The class with the keys of a run file; what is made of it travels between ranks as one of this class."""
        if keys == cls.keys:
            return cls

        def reduced(self) -> tuple:
            return cls, tuple(getattr(self, field.name) for field in fields(self))

        # A user's class has its own way to another rank.
        way = {"__reduce__": reduced} if cls.source is None else {}
        return type(cls.__name__, (cls,), {"keys": keys, "__module__": cls.__module__} | way)

    def inverse(self, surface: Domain) -> Callable[[np.ndarray], np.ndarray] | None:
        """About the inverse of the normal matrix, (P,) to (P,); None where that is factorised."""
        return None

    def smoothness(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """What a smooth prior multiplies coefficients by, (P,) to (P,), symmetric and positive; None where none is known."""
        return None

    def symmetry(self, surface: Domain) -> str:
        """What leaves all of them alone, in words; "" where nothing is known to."""
        return ""

    def jet(self, frame: Frame, coefficients: np.ndarray, order: int) -> np.ndarray:
        """Derivatives d^alpha dbar^beta of sum_m c_m F_m: (N, C, C) complex."""
        return jets.full(np.tensordot(coefficients, self.jets(frame, order), 1).T)

    def potential(self, z: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """sum_m c_m F_m: (N, n+1) complex points of X, any scale, to (N,) float64."""
        return coefficients @ self.values(z)

    def lifted(
        self, surface: Domain, below: Features, coefficients: np.ndarray, ansatz: Ansatz, k: int, to: int, draw: Draw
    ) -> np.ndarray:
        """Coefficients (P,) of degree `to` with the potential that those of features of degree k below have, or near it."""
        constant, found = self.fitted(lambda z: ansatz.raised(coefficients @ below.values(z), k, to), draw)
        # No constant moves a metric: not as a summand, and in a logarithm not as a factor.
        return found / (1 + constant if ansatz.powers else 1)

    def fitted(self, wanted: Callable[[np.ndarray], np.ndarray], draw: Draw) -> tuple[float, np.ndarray]:
        """The constant and c (P,) with constant + sum_m c_m F_m nearest a function of points, (N, n+1) to (N,)."""
        z = draw(2 * len(self) + 200)
        constant, *found = np.linalg.lstsq(np.vstack([np.ones(len(z)), self.values(z)]).T, wanted(z))[0]
        return float(constant), np.array(found)

    def moments(self, z: np.ndarray, weight: np.ndarray, degree: int) -> np.ndarray:
        """sum over points of w s s^dagger of M sections of a degree, that answers "balanced": (N, C), (N,) to reals (M^2,)."""
        raise NotImplementedError

    def balanced(self, surface: Domain, moments: np.ndarray, degree: int, draw: Draw) -> np.ndarray:
        """c (P,) with 1 + F the inverse of moments, as a form in the sections, over exp(k K), up to a factor.

        Raises NumericalError where they are singular.
        """
        raise NotImplementedError

    def prepare(self, frame: Frame, whole: bool = False, device: Device = HOST):
        """What `contract` and `adjoint` need of points: d_a dbar_b of all as r = d^2 reals, H (P, N, r) float64 on the device.

        whole: with values and first derivatives, (1 + d, 1 + d) Hermitian matrices as r = (1 + d)^2 reals (`ansatz.composed`).
        """
        matrix = jets.full(self.jets(frame, 1).transpose(0, 2, 1))
        return device.put(hermitian.to_reals(matrix if whole else matrix[..., 1:, 1:]))

    def load(self, coefficients: np.ndarray, device: Device = HOST):
        """The coefficients (P,), for `contract`, on the device."""
        return device.put(coefficients)

    def contract(self, prepared, loaded, device: Device = HOST, whole: bool = False):
        """sum_m c_m H_m: what is prepared of N points, and loaded, to (N, r), all on the device; whole: as there."""
        xp = device.xp
        return xp.reshape(xp.matmul(loaded, xp.reshape(prepared, (len(self), -1))), prepared.shape[1:])

    def adjoint(self, prepared, v, device: Device = HOST):
        """sum over points of H_m . v: what is prepared, (N, r) to (P,), all on the device."""
        xp = device.xp
        return xp.matmul(xp.reshape(prepared, (len(self), -1)), xp.reshape(v, (-1,)))

    def bytes(self, points: int, d: int, whole: bool = False) -> int:
        """Memory of what `prepare` returns."""
        return 8 * len(self) * points * (d + whole) ** 2

    @classmethod
    def costs(cls, surface: Domain, degree: int, whole: bool = False) -> Costs:
        """What a plan counts with, for as many Hessians one by one as there are features; whole: as of `prepare`."""
        p, d = cls.count(surface, degree), surface.dimension
        reals, derivatives = p * (d + whole) ** 2, p * (d + 1) * (d + 2) // 2
        return Costs(
            features=p,
            kept=8 * reals,
            preparing=4 * 16 * derivatives,
            sweep=Work(flops=2 * reals, read=8 * reals),
            prepare=Work(products=25 * derivatives),
            bending=3 * 16 * p * jets.triangle(d, 2),
        )

    @classmethod
    def names(cls) -> list[str]:
        """Of its arrays in a state."""
        return [f"{cls.group}/{field.name}" for field in (fields(cls) if is_dataclass(cls) else ())]

    def arrays(self) -> dict[str, np.ndarray]:
        """What a state keeps of it."""
        return {name: getattr(self, name.partition("/")[2]) for name in self.names()}

    @classmethod
    def of(cls, rows: Callable[[str], np.ndarray]) -> Self:
        """The features of a state: rows(name) gives an array of it."""
        return cls(*map(rows, cls.names()))

    @classmethod
    def complaints(cls, arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
        """Why arrays of a state, which has them all, are none of this space: what uses them checks no index."""
        yield from ()


def within(array: np.ndarray, low: int, high: int) -> bool:
    """Whether all of an array is in low..high, ends included."""
    return bool(((array >= low) & (array <= high)).all())
