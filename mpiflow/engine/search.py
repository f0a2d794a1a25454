"""Which pairs of points overlap by at least so much: a fused search in float32, its candidates judged in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from llvmlite import ir

from mpiflow.engine.lanes import I64, Code
from mpiflow.engine.profiles import profile
from mpiflow.engine.tiles import SOURCES, UNROLL, even, grouped
from mpiflow.geometry.fubini_study import distance
from mpiflow.kernels import Gaussian

# A float32 overlap |<x, y>|^2 of unit points is right to 1e-6 (measured: 5e-7 at most).
ROUNDING = 1e-6
# Targets a call: bounds the list of candidates.
_ROWS = 1024

_I32 = ir.IntType(32)


def candidates(kernel, targets: np.ndarray, sources: np.ndarray, least: float) -> Iterator[tuple]:
    """All pairs whose overlap is at least `least`, and some that fall short of it by up to 2e-6.

    Yields (i, j), int64 indices of targets and sources sorted by i, then j, for ascending stretches of i.
    """
    yield from _swept(kernel, targets, sources, least - ROUNDING, np.inf)


def nearest(targets: np.ndarray, sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest source of each target in Fubini-Study distance; the lowest index on ties.

    targets: (N, n+1), sources: (M > 0, n+1) complex, any scale. Returns (N,) int64 and the distances (N,) float64,
    exact for near duplicates too: all that a float32 search cannot tell apart are compared by the wedge form.
    """
    index, least = np.zeros(len(targets), np.int64), np.zeros(len(targets))
    for i, j in _swept(Gaussian(1.0), targets, sources, -1.0, 2 * ROUNDING):
        d = distance(targets[i], sources[j])
        order = np.lexsort((j, d, i))
        rows, first = np.unique(i[order], return_index=True)
        index[rows], least[rows] = j[order][first], d[order][first]
    return index, least


def _swept(kernel, targets, sources, least: float, slack: float) -> Iterator[tuple]:
    """Pairs above a row's threshold, which starts at `least` and follows its best overlap less `slack`."""
    shape = profile(kernel, targets.shape[1] - 1, "float32")
    keep = slice(0, shape.coordinates)
    y = np.ascontiguousarray(even(shape.records(kernel, sources)[0][:, keep]), np.float32)
    for start in range(0, len(targets), _ROWS):
        rows = targets[start : start + _ROWS]
        x = grouped(shape.records(kernel, rows)[0][:, keep], "float32")
        i, j = _found(_searcher(shape), x, y, least, slack)
        inside = (i < len(rows)) & (j < len(sources))
        i, j = i[inside], j[inside]
        order = np.lexsort((j, i))
        yield i[order] + start, j[order]


def _found(search: Callable, x: np.ndarray, y: np.ndarray, least: float, slack: float) -> tuple:
    groups, _, width = x.shape
    slack = np.array([slack], np.float32)
    capacity = 1 << 16
    while True:
        thresholds = np.full((groups, width), least, np.float32)
        found = np.empty((capacity, 3), np.int32)
        where = [array.ctypes.data for array in (x, y, thresholds, slack, found)]
        count = search(*where, groups, len(y), capacity)
        if count <= capacity:
            break
        capacity = count
    source, group, mask = found[:count].T
    record, lane = np.nonzero(mask[:, None] >> np.arange(width, dtype=np.int32) & 1)
    return group[record].astype(np.int64) * width + lane, source[record].astype(np.int64)


@cache
def _searcher(shape) -> Callable:
    """f(x, y, thresholds, slack, found, groups, sources, capacity): the number of records (source, group, mask)."""
    code, n = Code("float32", 5, 3), shape.coordinates
    x, y, thresholds, slack, found, groups, sources, capacity = code.function.args
    b, width = code.builder, code.vector.count
    count = b.alloca(I64)
    b.store(I64(0), count)
    (slack,) = code.broadcast(slack, I64(0), 1)
    last = b.sub(capacity, I64(1))

    def record(j, group, mask):
        known = b.load(count, typ=I64)
        slot = b.mul(b.select(b.icmp_signed("<", known, last), known, last), I64(3))
        fields = (b.trunc(j, _I32), b.trunc(group, _I32), b.zext(mask, _I32))
        for k, field in enumerate(fields):
            b.store(field, code.at(found, b.add(slot, I64(k)), _I32))
        b.store(b.add(known, I64(1)), count)

    def stretch(first, _):
        end = b.add(first, I64(SOURCES))
        end = b.select(b.icmp_signed("<", end, sources), end, sources)

        def group_body(group, _):
            point = code.load(x, b.mul(group, I64(n * width)), n)
            at = b.mul(group, I64(width))

            def body(j, carried):
                (threshold,) = carried
                places = [b.add(j, I64(step)) for step in range(UNROLL)]
                overlaps = [shape.overlap(point, code.broadcast(y, b.mul(place, I64(n)), n)) for place in places]
                masks = [b.bitcast(overlap > threshold, ir.IntType(width)) for overlap in overlaps]
                hit = masks[0]
                for mask in masks[1:]:
                    hit = b.or_(hit, mask)
                before, raised = b.block, threshold
                with b.if_then(b.icmp_unsigned("!=", hit, hit.type(0)), likely=False):
                    for place, mask in zip(places, masks, strict=True):
                        record(place, group, mask)
                    for overlap in overlaps:
                        raised = (overlap - slack).max(raised)
                    inside = b.block
                after = b.phi(code.vector)
                after.add_incoming(threshold.value, before)
                after.add_incoming(raised.value, inside)
                return [type(threshold)(b, after)]

            (threshold,) = code.loop(first, end, UNROLL, body, code.load(thresholds, at, 1))
            code.store(threshold, thresholds, at)

        code.loop(I64(0), groups, 1, group_body)

    code.loop(I64(0), sources, SOURCES, stretch)
    return code.compiled(b.load(count, typ=I64))
