"""Metrics of phi = f(F) and their derivatives, from those of F by the chain rule: the law by which a kernel moves.

Jets of F are Hermitian (1 + d, 1 + d) matrices J = [[F, dbar F], [d F, d dbar F]] in a frame with g_FS = 1, kept as reals
(`mpiflow.hermitian`); of a linear ansatz d dbar F alone, (d, d).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mpiflow import hermitian
from mpiflow.ansatz.ansatz import Ansatz
from mpiflow.kernels import jets, kaehler

#: Points whose metrics are made in one go.
_TOGETHER = 512


@dataclass(frozen=True)
class Composed:
    """phi = f(F) for features of degree k. entire: whether F and d F are known even where the metric needs them not."""

    ansatz: Ansatz
    degree: int
    entire: bool = False

    @property
    def whole(self) -> bool:
        """Whether F and d F are known beside d dbar F."""
        return self.entire or not self.ansatz.linear

    def value(self, t: np.ndarray) -> np.ndarray:
        """phi of F, (N,) to (N,)."""
        return self.ansatz.derivatives(t, self.degree, 0)[0]

    def rate(self, reals: np.ndarray) -> np.ndarray:
        """d phi / d F: jets (N, r) to (N,)."""
        return self.ansatz.derivatives(reals[:, 0], self.degree, 1)[1] if self.whole else np.ones(len(reals))

    def rates(self, reals: np.ndarray) -> np.ndarray:
        """f' and d f' = f'' dF, by which psi = f' F_m, d psi = f' dF_m + F_m d f': jets (N, r) to (N, 1 + d) complex."""
        if not self.whole:
            count, d = len(reals), round(reals.shape[1] ** 0.5)
            return np.eye(1, 1 + d).repeat(count, axis=0)
        t, along, _ = _split(reals)
        _, f1, f2 = self.ansatz.derivatives(t, self.degree, 2)
        return np.concatenate([f1[:, None], f2[:, None] * along], axis=1)

    def metric(self, reals: np.ndarray) -> np.ndarray:
        """g = 1 + f' d dbar F + f'' dF dbar F: jets (N, r) to (N, d, d) complex; -1, which is none, where f is not defined."""
        return _by_parts(self._metric, reals) if self.whole else kaehler.metric(reals)

    def _metric(self, reals: np.ndarray) -> np.ndarray:
        t, along, mixed = _split(reals)
        _, f1, f2 = self.ansatz.derivatives(t, self.degree, 2)
        one = np.eye(mixed.shape[-1])
        g = one + f1[:, None, None] * mixed + f2[:, None, None] * _square(along)
        return np.where(np.isfinite(g).all((1, 2))[:, None, None], g, -one)

    def slope(self, reals: np.ndarray, g: np.ndarray) -> np.ndarray:
        """V = d log det g / d J, such that d log det g = V . dJ: jets and metrics (N, d, d) to (N, r) reals."""
        return _by_parts(self._slope, reals, g) if self.whole else kaehler.inverse(g)

    def _slope(self, reals: np.ndarray, g: np.ndarray) -> np.ndarray:
        return self.pulled(reals, np.zeros(1), hermitian.from_reals(kaehler.inverse(g)))

    def pulled(self, reals: np.ndarray, first: np.ndarray, mixed: np.ndarray) -> np.ndarray:
        """V with V . dJ = 2 Re first^dagger d(d phi) + tr mixed d(d dbar phi): (N, d), Hermitian (N, d, d) to (N, r) reals."""
        t, along, both = _split(reals)
        _, f1, f2, f3 = self.ansatz.derivatives(t, self.degree, 3)
        column = np.einsum("xab,xb->xa", mixed, along)
        slope = np.empty((len(t), len(along.T) + 1, len(along.T) + 1), np.complex128)
        slope[:, 0, 0] = f2 * np.einsum("xba,xab->x", mixed, both) + f3 * (along.conj() * column).sum(1)
        slope[:, 0, 0] += f2 * 2 * (first.conj() * along).sum(1).real
        slope[:, 1:, 0] = f1[:, None] * first + f2[:, None] * column
        slope[:, 0, 1:] = slope[:, 1:, 0].conj()
        slope[:, 1:, 1:] = f1[:, None, None] * mixed
        return hermitian.to_reals(slope)

    def along(self, reals: np.ndarray) -> np.ndarray:
        """d phi where F and d F are known: jets (N, r) to (N, d) complex."""
        t, along, _ = _split(reals)
        return self.ansatz.derivatives(t, self.degree, 1)[1][:, None] * along

    def jet(self, jet: np.ndarray, d: int, order: int) -> np.ndarray:
        """d^alpha dbar^beta phi from those of F, |alpha|, |beta| <= order <= 2, by Faa di Bruno's formula.

        (N, C, C) to (N, C, C) complex, over the multi-indices of d coordinates (`kernels.jets`).
        """
        if not self.whole:
            return jet
        indices = jets.multi_indices(d, order)
        place = {index: number for number, index in enumerate(indices)}
        f = self.ansatz.derivatives(jet[:, 0, 0].real, self.degree, 2 * order)
        found = np.empty_like(jet)
        for t, alpha in enumerate(indices):
            for u, beta in enumerate(indices[: t + 1]):
                # Coordinates d, d+1, ... are the conjugated ones.
                every = [*alpha, *(d + b for b in beta)]
                found[:, t, u] = sum(
                    f[len(parts)] * np.prod([jet[:, *_entry(part, place, d)] for part in parts], axis=0)
                    for parts in _partitions(every)
                )
                found[:, u, t] = found[:, t, u].conj()
        return found


def _entry(part: list[int], place: dict, d: int) -> tuple[int, int]:
    """Where a jet has the derivative along some coordinates."""
    return place[tuple(i for i in part if i < d)], place[tuple(i - d for i in part if i >= d)]


def _partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """All ways to part items, which are told apart by their places, into groups that keep their order."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for parts in _partitions(rest):
        yield [[first], *parts]
        for number, part in enumerate(parts):
            yield [*parts[:number], [first, *part], *parts[number + 1 :]]


def _by_parts(function: Callable[..., np.ndarray], *columns: np.ndarray) -> np.ndarray:
    """What a function makes of rows, of some rows at a time: what it needs on its way is large, and gone soon."""
    starts = range(0, max(len(columns[0]), 1), _TOGETHER)
    return np.concatenate([function(*(column[start : start + _TOGETHER] for column in columns)) for start in starts])


def _split(reals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    jet = hermitian.from_reals(reals)
    return jet[:, 0, 0].real, jet[:, 1:, 0], jet[:, 1:, 1:]


def _square(along: np.ndarray) -> np.ndarray:
    return along[:, :, None] * along.conj()[:, None, :]
