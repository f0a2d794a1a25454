"""Generic features on complete intersections: phi = sum h_(alpha beta) s_alpha sbar_beta / prod_i |z_i|^(2 m_i), m = k t.

The sections of O(k t) modulo the equations. With K = sum_i t_i log|z_i|^2 the denominator is exp(k K), so that in a frame with
|z_i| = 1 all is as in one projective space: d_a dbar_b phi = D_a h D_b^dagger - k delta_ab S h S^dagger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry.domain import Domain
from mpiflow.geometry.polynomial import multimonomials, places
from mpiflow.kernels.features import Draw, within
from mpiflow.kernels.reduction import multiples, norms, parted
from mpiflow.kernels.sections import Sections

#: Relative size below which a pivot is rounding; how far k t may be from whole numbers.
_DEPENDENT, _WHOLE = 1e-9, 1e-9


@dataclass(frozen=True)
class MultiSections(Sections):
    """kernel.features = "sections": of O(k t) on a complete intersection, those monomials that span all the others best.

    exponents: (N, C) int. sizes: (r,) int, coordinates of each factor. power: (1,) int, k.
    """

    sizes: np.ndarray
    power: np.ndarray

    name = "sections"
    group = "features"

    @classmethod
    def made(cls, surface: Domain, degree: int, draw: Draw) -> MultiSections:
        """All sections of O(k t). Raises InputError where k t are no whole numbers, or where X is one in one equation."""
        m = cls.wanted(surface, degree)
        every, sizes = multimonomials(m, surface.sizes), np.array(surface.sizes)
        left = _pivots(_multiples(surface, m))
        wanted = surface.functions(m)
        if len(every) - len(left) != wanted:
            raise NumericalError(
                f"kernel.degree = {degree}: {len(every) - len(left)} sections are told apart, and there are {wanted}"
            )
        return cls(np.delete(every, left, axis=0), sizes, np.array([degree]))

    @classmethod
    def count(cls, surface: Domain, degree: int) -> int:
        """N^2, by Koszul's complex."""
        m = cls.wanted(surface, degree)
        return surface.functions(m) ** 2

    @classmethod
    def wanted(cls, surface: Domain, degree: int) -> tuple[int, ...]:
        """The multidegree m. Raises InputError as `made`."""
        return multidegree(surface, degree)

    @property
    def degree(self) -> int:
        """k."""
        return int(self.power[0])

    @property
    def factors(self) -> np.ndarray:
        """The `sizes`."""
        return self.sizes

    def reduction(self, surface: Domain) -> np.ndarray:
        """As the function."""
        return reduction(surface, self)

    @classmethod
    def complaints(cls, arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
        """The exponents must be of one multidegree."""
        exponents, sizes, power = (arrays[f"features/{name}"] for name in ("exponents", "sizes", "power"))
        if power.tolist() != [degree]:
            yield f"features/power is {power.tolist()}: the degree is {degree}"
        if (sizes < 2).any() or sizes.sum() != exponents.shape[1] or not within(exponents, 0, 400):
            yield "features/sizes are not those of factors of the coordinates of features/exponents"
            return
        if any(len(np.unique(part.sum(1))) != 1 for part in parted(exponents, sizes)):
            yield "features/exponents are not of one degree in each factor"


def multidegree(surface: Domain, degree: int) -> tuple[int, ...]:
    """k t. Raises InputError where it is none."""
    if not hasattr(surface, "kaehler"):
        raise InputError(
            'kernel.features = "sections": this manifold is one equation in one projective space; take '
            'kernel.features = "generic"'
        )
    found = degree * np.array(surface.kaehler)
    if (np.abs(found - np.round(found)) > _WHOLE).any() or (np.round(found) < 1).any():
        shown = ", ".join(f"{m:g}" for m in found)
        raise InputError(
            f"kernel.degree = {degree}: times manifold.kaehler it is ({shown}), and the degrees of a section are "
            "whole numbers from 1 on; take another kernel.degree, "
            'multiply manifold.kaehler by a number, which only scales the metric, or take kernel.features = "nearest-sections"'
        )
    return tuple(int(m) for m in np.round(found))


def _multiples(surface: Domain, multidegree: tuple[int, ...]) -> np.ndarray:
    """All products of an equation and a monomial of a multidegree, in normalised monomials, of norm 1: (R, M) complex."""
    every, rows = multimonomials(multidegree, surface.sizes), []
    for each, q in zip(surface.equations, surface.degrees, strict=True):
        more = multimonomials(tuple(np.subtract(multidegree, q)), surface.sizes)
        rows.append(multiples(each, more, every))
    found = np.concatenate(rows) / norms(every, np.array(surface.sizes))
    return found / np.linalg.norm(found, axis=1)[:, None]


def _pivots(multiples: np.ndarray) -> np.ndarray:
    """Monomials, ascending, that the others express on X, with numbers as small as may be."""
    if not len(multiples):
        return np.zeros(0, np.int64)
    size, order = linalg.qr(multiples, mode="r", pivoting=True)
    pivots = np.abs(np.diag(size))
    return np.sort(order[: int((pivots > _DEPENDENT * pivots[0]).sum())])


def reduction(surface: Domain, features: MultiSections) -> np.ndarray:
    """T with m = T s on X, for all monomials m of the multidegree, normalised as the sections s are: (M, N) complex."""
    every = multimonomials(features.multidegree, tuple(features.sizes))
    kept = places(every, features.exponents)
    left = np.setdiff1d(np.arange(len(every)), kept)
    found = np.zeros((len(every), len(kept)), np.complex128)
    found[kept] = np.eye(len(kept))
    if len(left):
        zero = _multiples(surface, features.multidegree)
        found[left] = -np.linalg.lstsq(zero[:, left], zero[:, kept])[0]
    return found
