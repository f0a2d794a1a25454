"""Orbits of monomials: sums over distinct permutations of prod_i z_i^alpha_i zbar_i^beta_i, with exact derivatives.

A sum over n+1 labels l = (alpha, beta) is built coordinate by coordinate: S_j(labels) is the sum over distinct l of
f_l(z_j) S_(j-1)(labels - l). Smaller multisets are shared, so that a thousand sums cost a few multiplications each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit, uint64

from mpiflow.kernels import monomials
from mpiflow.kernels.jets import multi_indices

#: Points that the compiled loops carry side by side: the doubles of one AVX-512 register.
LANES = 8


@dataclass(frozen=True)
class Products:
    """Real parts of symmetrised products, over the root of their number of terms.

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
        count = np.ones(1)
        for starts, _, children in self._levels:
            count = np.add.reduceat(count[children], starts[:-1].astype(np.int64))
        return 1 / np.sqrt(count)

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
            levels.append(tuple(np.array(column, np.uint64) for column in (starts, labels, children)))
            nodes = list(below)
        return levels[::-1]

    def jets(self, z: np.ndarray, order: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Derivatives d^mu dbar^nu of every product, |mu| and |nu| up to `order`, a few points at a time.

        z: (N, n+1) complex, |z| = 1. Yields slices of at most LANES points and (points, P, T) complex: lower triangles
        (`kernels.jets`) over the ambient multi-indices.
        """
        padded = z[np.minimum(np.arange(-(-len(z) // LANES) * LANES), len(z) - 1)]
        # Coordinate, label, derivative, real and imaginary part, point.
        f = monomials.derivatives(padded.T, self.labels, order)
        f = f.reshape(len(f), (order + 1) ** 2, *padded.T.shape).transpose(2, 0, 1, 3)
        f = np.stack([f.real, f.imag], axis=3)
        steps = [_extension(j, order) for j in range(z.shape[1])]
        levels = [np.ones((1, 1, 2, LANES)) * [[1.0], [0.0]]]
        levels += [
            np.empty((len(nodes[0]) - 1, len(step[0]), 2, LANES))
            for nodes, step in zip(self._levels, steps, strict=True)
        ]
        size = round(np.sqrt(levels[-1].shape[1]))
        for start in range(0, len(z), LANES):
            here = np.ascontiguousarray(f[..., start : start + LANES])
            for j, (nodes, step) in enumerate(zip(self._levels, steps, strict=True)):
                _extend(here[j], *nodes, *step, levels[j], levels[j + 1])
            result = np.empty((LANES, len(self.orbits), size * (size + 1) // 2), np.complex128)
            _hermitian(levels[-1], self.scale, result)
            rows = slice(start, min(start + LANES, len(z)))
            yield rows, result[: rows.stop - start]


def _extension(j: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """For each pair of multi-indices in coordinates 0..j: how often they hold j, and the place of the rest below."""
    below = {index: place for place, index in enumerate(multi_indices(j, order))}
    indices = multi_indices(j + 1, order)
    power = np.array([index.count(j) for index in indices])
    source = np.array([below[tuple(i for i in index if i != j)] for index in indices])
    pair = ((order + 1) * power[:, None] + power, len(below) * source[:, None] + source)
    return tuple(column.ravel().astype(np.uint64) for column in pair)


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _extend(f, starts, labels, children, power, source, below, level):
    """One more coordinate: level[node] = sum over its terms of f[label, power] * below[child, source], by lanes."""
    # Unsigned indices spare the test for negative ones, which costs as much as the arithmetic.
    for node in range(uint64(len(level))):
        for entry in range(uint64(len(power))):
            for lane in range(LANES):
                level[node, entry, 0, lane] = 0.0
                level[node, entry, 1, lane] = 0.0
        for term in range(starts[node], starts[node + uint64(1)]):
            factor, child, out = f[labels[term]], below[children[term]], level[node]
            for entry in range(uint64(len(power))):
                p, s = power[entry], source[entry]
                for lane in range(LANES):
                    a, b = factor[p, 0, lane], factor[p, 1, lane]
                    x, y = child[s, 0, lane], child[s, 1, lane]
                    out[entry, 0, lane] += a * x - b * y
                    out[entry, 1, lane] += a * y + b * x


@njit(cache=True)
def _hermitian(level, scale, result):
    """Derivatives of the real part: the lower triangle of (M + M^dagger) / 2, scaled, (lane, product, T) complex."""
    size = int(np.sqrt(level.shape[1]))
    for m in range(len(level)):
        place = 0
        for t in range(size):
            for u in range(t + 1):
                low, high = level[m, t * size + u], level[m, u * size + t]
                for lane in range(LANES):
                    real, imag = low[0, lane] + high[0, lane], low[1, lane] - high[1, lane]
                    result[lane, m, place] = scale[m] / 2 * complex(real, imag)
                place += 1
