"""Sources sorted into cells of near points, so that a nearest-neighbour search need look into few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from llvmlite import ir

from mpiflow.engine.hits import Hits, records
from mpiflow.engine.search import ROUNDING
from mpiflow.geometry.projective import embedding, unit
from mpiflow.kernels.profile import Profile
from mpiflow.vector.lanes import I64
from mpiflow.vector.machine import Code, lanes

# Points from which the axis of a halving is found.
_SAMPLE = 128
# Targets at a time: bounds the table of targets by cells.
_ROWS = 256


class Cells:
    """A partition of points (M, n+1) by repeated halving along the longest axis in the embedding z zbar^T.

    A cell knows a centre c and the largest distance rho of its members from it, so that a target at distance
    D from c has none of them nearer than D - rho.
    """

    def __init__(self, points: np.ndarray, size: int | None = None):
        self.points, z = points, unit(points)
        size = size or int(np.clip(np.sqrt(len(z)) / 2, 32, 1024))
        parts = _halved(z, np.arange(len(z)), size)
        self.centres = np.stack([_centre(z[part]) for part in parts])
        overlaps = [np.abs(z[part] @ centre.conj()).min() for part, centre in zip(parts, self.centres, strict=True)]
        self.radius = np.arccos(np.minimum(overlaps, 1.0))
        self.size = -(-max(map(len, parts)) // lanes("float32")) * lanes("float32")
        # Filled up with copies of the last member: found twice, which does no harm.
        self.members = np.stack([np.pad(part, (0, self.size - len(part)), mode="edge") for part in parts])
        self.hits = Hits("float32")
        self.profile = Profile("float32", points.shape[1] - 1)
        records = _reals(z)[self.members]  # (cells, size, 2(n+1))
        self.records = np.ascontiguousarray(
            records.reshape(-1, lanes("float32"), records.shape[2]).transpose(0, 2, 1), np.float32
        )

    def contenders(self, targets: np.ndarray) -> Iterator[tuple]:
        """Triplets (i, j, None) of targets and points: the nearest of each target, and all within rounding of it."""
        axes = embedding(self.centres).astype(np.float32).T
        spread = np.stack([np.cos(self.radius), -np.sin(self.radius)]).astype(np.float32)
        for start in range(0, len(targets), _ROWS):
            rows = targets[start : start + _ROWS]
            x = np.ascontiguousarray(_reals(unit(rows)), np.float32)
            overlap = embedding(rows).astype(np.float32) @ axes
            best = np.full(len(rows), -1.0, np.float32)
            first = self._scan(x, np.arange(len(rows)), overlap.argmax(1), best)
            # Distance to the centre <= that to the best so far + the cell's radius, as cosines.
            cosine = np.clip(best, 0, 1)
            reach = np.stack([np.sqrt(cosine), np.sqrt(1 - cosine)], axis=1) @ spread - 1e-5
            i, cell = np.nonzero(overlap > reach * np.abs(reach) - 1e-5)
            second = self._scan(x, i, cell, best)
            i, j = (np.concatenate(pair) for pair in zip(first, second, strict=True))
            yield i + start, j, None

    def _scan(self, x: np.ndarray, row: np.ndarray, cell: np.ndarray, best: np.ndarray) -> tuple:
        """Look for each target `row` into `cell`: its members above best - slack; best is raised as it goes."""
        row, cell = (np.ascontiguousarray(index, np.int64) for index in (row, cell))
        slack, width = np.array([2 * ROUNDING], np.float32), lanes("float32")

        def search(found, _):
            arrays = (x, self.records, row, cell, best, slack, found)
            return _scanner(self.profile)(*(a.ctypes.data for a in arrays), len(row), self.size // width, len(found))

        pair, group, lane, _ = self.hits.of(search)
        return row[pair], self.members[cell[pair], group * width + lane]


@cache
def _scanner(shape: Profile) -> Callable:
    """f(x, cells, row, cell, thresholds, slack, found, pairs, groups, capacity): how many (pair, group, mask)."""
    code, n = Code("float32", 7, 3), shape.coordinates
    x, cells, row, cell, thresholds, slack, found, pairs, groups, capacity = code.function.args
    b, width = code.builder, code.vector.count
    (slack,) = code.broadcast(slack, I64(0), 1)
    record, count = records(code, found, capacity)

    def pair_body(pair, _):
        target, where = (b.load(code.at(index, pair, I64), typ=I64) for index in (row, cell))
        point = code.broadcast(x, b.mul(target, I64(n)), n)

        def body(group, _):
            member = b.mul(b.add(b.mul(where, groups), group), I64(n * width))
            overlap = shape.overlap(code.load(cells, member, n), point)
            (threshold,) = code.broadcast(thresholds, target, 1)
            hit = b.bitcast(overlap > threshold, ir.IntType(width))
            with b.if_then(b.icmp_unsigned("!=", hit, hit.type(0)), likely=False):
                record(pair, group, hit)
                raised = (overlap - slack).max(threshold).largest()
                b.store(raised, code.at(thresholds, target))

        code.loop(I64(0), groups, 1, body)

    code.loop(I64(0), pairs, 1, pair_body)
    return code.compiled(b.load(count, typ=I64))


def _halved(z: np.ndarray, index: np.ndarray, size: int) -> list[np.ndarray]:
    """Index sets of at most `size` unit points; each halving is at the median along the longest axis of a sample."""
    if len(index) <= size:
        return [np.sort(index)]
    part = z[index]
    form = _longest_axis(part[:: -(-len(part) // _SAMPLE)])
    order = np.argpartition(((part @ form) * part.conj()).real.sum(1), len(index) // 2)
    return [half for piece in np.split(index[order], [len(index) // 2]) for half in _halved(z, piece, size)]


def _longest_axis(z: np.ndarray) -> np.ndarray:
    """The principal axis in the embedding as an upper triangle A: a point's coordinate is Re sum A_ij z_i zbar_j."""
    p = embedding(z)
    axis = np.linalg.eigh(np.cov(p.T))[1][:, -1]
    n = z.shape[1]
    i, j = np.triu_indices(n, 1)
    form = np.diag(axis[:n]).astype(complex)
    real, imaginary = np.split(axis[n:], 2)
    form[i, j] = np.sqrt(2) * (real - 1j * imaginary)
    return form


def _centre(z: np.ndarray) -> np.ndarray:
    """The point of P^n nearest on average, in the embedding: the main axis of sum z z^dagger."""
    return np.linalg.eigh(z.T @ z.conj())[1][:, -1]


def _reals(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=1)
