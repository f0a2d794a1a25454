"""Which pairs of points overlap by at least so much: a fused search in float32, its candidates judged in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from llvmlite import ir

from mpiflow.engine.hits import collected, records
from mpiflow.engine.lanes import I64, Code
from mpiflow.engine.profiles import profile
from mpiflow.engine.tiles import SOURCES, UNROLL, even, grouped

# A float32 overlap |<x, y>|^2 of unit points is right to 1e-6 (measured: 5e-7 at most).
ROUNDING = 1e-6
# Targets a call: bounds the list of candidates.
_ROWS = 1024


def candidates(kernel, targets: np.ndarray, sources: np.ndarray, least: float) -> Iterator[tuple]:
    """All pairs whose overlap is at least `least`, and some that fall short of it by up to 2e-6.

    Yields (i, j), int64 indices of targets and sources sorted by i, then j, for ascending stretches of i.
    """
    yield from sweep(kernel, targets, sources, least - ROUNDING, np.inf)


def sweep(kernel, targets, sources, least: float, slack: float) -> Iterator[tuple]:
    """As `candidates`, above a row's threshold, which starts at `least` and follows its best overlap less `slack`."""
    shape = profile(kernel, targets.shape[1] - 1, "float32")
    keep = slice(0, shape.coordinates)
    y = np.ascontiguousarray(even(shape.records(kernel, sources)[0][:, keep]), np.float32)
    for start in range(0, len(targets), _ROWS):
        rows = targets[start : start + _ROWS]
        x = grouped(shape.records(kernel, rows)[0][:, keep], "float32")
        j, group, lane = collected(partial(_search, shape, x, y, least, slack), x.shape[2])
        i = group * x.shape[2] + lane
        inside = np.flatnonzero((i < len(rows)) & (j < len(sources)))
        inside = inside[np.lexsort((j[inside], i[inside]))]
        yield i[inside] + start, j[inside]


def _search(shape, x: np.ndarray, y: np.ndarray, least: float, slack: float, found: np.ndarray) -> int:
    thresholds = np.full((len(x), x.shape[2]), least, np.float32)
    slack = np.array([slack], np.float32)
    where = [array.ctypes.data for array in (x, y, thresholds, slack, found)]
    return _searcher(shape)(*where, len(x), len(y), len(found))


@cache
def _searcher(shape) -> Callable:
    """f(x, y, thresholds, slack, found, groups, sources, capacity): the number of records (source, group, mask)."""
    code, n = Code("float32", 5, 3), shape.coordinates
    x, y, thresholds, slack, found, groups, sources, capacity = code.function.args
    b, width = code.builder, code.vector.count
    (slack,) = code.broadcast(slack, I64(0), 1)
    record, count = records(code, found, capacity)

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
