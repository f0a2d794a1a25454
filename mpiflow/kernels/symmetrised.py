"""Symmetrised products S(z) = sum over distinct permutations of prod_i f_(l_i)(z_i), with exact derivatives.

A product of n+1 labels is built coordinate by coordinate: S_j(labels) = sum over distinct l of f_l(z_j) S_(j-1)(labels - l).
Smaller multisets are shared between products, so that a thousand of them cost a few multiplications each, not (n+1)!.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
from numba import njit

from mpiflow.kernels import zernike

#: Points that the compiled loops carry side by side: the doubles of one AVX-512 register.
LANES = 8


@dataclass(frozen=True)
class Products:
    """Real parts of symmetrised products, scaled to be of order one.

    orbits: (P, n+1, 2) int, the labels (alpha, beta) of each product.
    """

    orbits: np.ndarray

    @cached_property
    def labels(self) -> np.ndarray:
        """The distinct labels (L, 2) int."""
        return np.unique(self.orbits.reshape(-1, 2), axis=0)

    @cached_property
    def scale(self) -> np.ndarray:
        """1 / sqrt of the number of distinct permutations: (P,) float64."""
        top = self._levels[-1]
        count = np.ones(1)
        for level in self._levels:
            count = np.add.reduceat(count[level[2]], level[0][:-1])
        return 1 / np.sqrt(count) if len(top[0]) > 1 else count

    @cached_property
    def _levels(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each coordinate: the start of each node's terms, and of each term its label and the node it extends."""
        number = {tuple(label): k for k, label in enumerate(self.labels.tolist())}
        nodes = [tuple(sorted(number[tuple(label)] for label in orbit)) for orbit in self.orbits.tolist()]
        levels = []
        for _ in range(self.orbits.shape[1]):
            below: dict[tuple, int] = {}
            starts, labels, children = [0], [], []
            for node in nodes:
                for place, label in enumerate(node):
                    if place == 0 or node[place - 1] != label:
                        rest = node[:place] + node[place + 1 :]
                        labels.append(label)
                        children.append(below.setdefault(rest, len(below)))
                starts.append(len(labels))
            levels.append(tuple(np.array(column, np.int64) for column in (starts, labels, children)))
            nodes = list(below)
        return levels[::-1]

    def jets(self, z: np.ndarray, order: int) -> np.ndarray:
        """Derivatives d^mu dbar^nu of every product, |mu| and |nu| up to `order`, at LANES points.

        z: (LANES, n+1) complex, |z| = 1. Returns (LANES, P, C^2) float64: the Hermitian matrix of derivatives (C, C) as its
        lower triangle row by row, real and imaginary part side by side, with C the number of `multi_indices`.
        """
        f = zernike.derivatives(z.T, self.labels, max(z.shape[1] - 3, 0), order)
        f = np.ascontiguousarray(f.transpose(0, 3, 1, 2, 4))
        below = np.zeros((1, 1, 1, 2, LANES))
        below[:, :, :, 0] = 1.0
        for j, (starts, labels, children) in enumerate(self._levels):
            power, source = _extension(j, order)
            level = np.empty((len(starts) - 1, len(power), len(power), 2, LANES))
            _extend(f.real[:, j].copy(), f.imag[:, j].copy(), starts, labels, children, power, source, below, level)
            below = level
        size = below.shape[1]
        result = np.empty((LANES, len(self.orbits), size * size))
        _hermitian(below, self.scale, result)
        return result


def multi_indices(size: int, order: int) -> list[tuple[int, ...]]:
    """Multi-indices in `size` coordinates up to `order`, as ascending tuples of coordinates: (), (0,), ..., (0, 0), ..."""
    return [index for r in range(order + 1) for index in combinations_with_replacement(range(size), r)]


def _extension(j: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each multi-index in coordinates 0..j: how often it holds j, and the place of the rest among those in 0..j-1."""
    places = {index: place for place, index in enumerate(multi_indices(j, order))}
    indices = multi_indices(j + 1, order)
    power = np.array([index.count(j) for index in indices], np.int64)
    source = np.array([places[tuple(i for i in index if i != j)] for index in indices], np.int64)
    return power, source


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _extend(fr, fi, starts, labels, children, power, source, below, level):
    size = len(power)
    re, im = np.empty(LANES), np.empty(LANES)
    for node in range(len(starts) - 1):
        for t in range(size):
            for u in range(size):
                re[:] = 0.0
                im[:] = 0.0
                for term in range(starts[node], starts[node + 1]):
                    l, child, p, q, v, w = labels[term], children[term], power[t], power[u], source[t], source[u]
                    for lane in range(LANES):
                        a, b = fr[l, p, q, lane], fi[l, p, q, lane]
                        x, y = below[child, v, w, 0, lane], below[child, v, w, 1, lane]
                        re[lane] += a * x - b * y
                        im[lane] += a * y + b * x
                for lane in range(LANES):
                    level[node, t, u, 0, lane] = re[lane]
                    level[node, t, u, 1, lane] = im[lane]


@njit(cache=True)
def _hermitian(level, scale, result):
    """Derivatives of the real part: (M + M^dagger) / 2, scaled, as reals."""
    size = level.shape[1]
    for m in range(len(level)):
        half = scale[m] / 2
        place = 0
        for t in range(size):
            for u in range(t):
                for lane in range(LANES):
                    result[lane, m, place] = half * (level[m, t, u, 0, lane] + level[m, u, t, 0, lane])
                    result[lane, m, place + 1] = half * (level[m, t, u, 1, lane] - level[m, u, t, 1, lane])
                place += 2
            for lane in range(LANES):
                result[lane, m, place] = scale[m] * level[m, t, t, 0, lane]
            place += 1
