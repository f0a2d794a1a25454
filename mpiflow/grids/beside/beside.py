"""What a factor of the kernel on a torus is: h(x), alpha(x, x'), and a density of points (HR 2.15 - 2.18, 2.27, 2.28)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from mpiflow.doors.raised import told
from mpiflow.settings.section import Named

#: A small torus on which a class is tried, and how far what should agree may be apart.
_TRIED, _OFF = 4, 1e-9


class Beside(Named):
    """h(x) alpha(x, x') N_s(x, x') h(x') r(x') dx' in place of N_s(x, x') dx'; a class gives what of the three is not 1.

    x, y: the d coordinates, in [0, 2 pi), arrays that broadcast against each other. volume: sqrt(det g) there of the metric
    at the start. alpha: None where it is 1; alpha(self, x, y) is symmetric, and positive as a kernel.
    """

    alpha: ClassVar[Callable | None] = None

    def h(self, x: list[np.ndarray], volume: np.ndarray) -> np.ndarray | float:
        """h at points: (...) float64."""
        return 1.0

    def density(self, x: list[np.ndarray], volume: np.ndarray) -> np.ndarray | float:
        """r at points, not below 0: (...) float64."""
        return 1.0

    def tried(self, beside: dict) -> None:
        """Try a class on T^2, or on T^3 where it is only of that. Raises ValueError where it is wrong on both."""
        try:
            self.tried_in(2)
        except Exception as first:
            try:
                self.tried_in(3)
            except Exception:
                raise first from None

    def tried_in(self, dimension: int) -> None:
        """Raises ValueError for what is not finite, not periodic, a density below 0, or an alpha that is no kernel."""
        x = [part.ravel() for part in np.meshgrid(*[2 * np.pi * np.arange(_TRIED) / _TRIED] * dimension)]
        volume = np.ones(len(x[0]))
        for name in ("h", "density"):
            found, after = (
                _finite(name, getattr(self, name)([part + turn for part in x], volume), volume)
                for turn in (0.0, 2 * np.pi)
            )
            _agree(f"{name} at x and x + 2 pi", found, after)
            if name == "density" and found.min() < 0:
                raise ValueError(f"density is {found.min():.3g} somewhere; it must be 0 or more")
        if self.alpha is None:
            return
        across, down = [part[:, None] for part in x], [part[None, :-1] for part in x]
        like = np.ones((len(volume), len(volume) - 1))
        found, other = (_finite("alpha", self.alpha(*both), like) for both in ((across, down), (down, across)))
        _agree("alpha(x, y) and alpha(y, x)", found, other)
        least = np.linalg.eigvalsh(
            _finite("alpha", self.alpha(across, [part.T for part in across]), np.ones([len(volume)] * 2))
        )[0]
        if least < -_OFF * len(volume) * (1 + np.abs(found).max()):
            raise ValueError(
                f"alpha has the eigenvalue {least:.3g} between {len(volume)} points; a kernel has none below 0"
            )

    def fits(self, dimension: int) -> None:
        """Raises ValueError, in one line, where it is not for tori of a dimension."""
        try:
            self.tried_in(dimension)
        except Exception as error:
            raise ValueError(f'kernel.beside = "{self.name}": on T^{dimension}: {told(error)}') from None


def _finite(name: str, found: object, like: np.ndarray) -> np.ndarray:
    found = np.asarray(found)
    try:
        fits = found.dtype.kind in "fi" and np.broadcast_to(found, like.shape) is not None
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name} is {found.dtype}{list(found.shape)}; it must be float64{list(like.shape)}")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} is {found[~np.isfinite(found)][0]} somewhere; it must be finite")
    return found * like


def _agree(what: str, one: np.ndarray, other: np.ndarray) -> None:
    off = np.abs(one - other)
    if not off.max() <= _OFF * (1 + np.abs(one).max()):
        raise ValueError(f"{what} differ by {off.max():.3g}; they must be the same")
